"""The manifest beside a partition's file: what was published, when, and by which run."""

from datetime import datetime
from pathlib import Path
from typing import Self

import msgspec
import pyarrow as pa

from resources.errors import LakeError
from resources.table_file import UNREADABLE, write_file

FORMAT_VERSION = 1
FILE, NAME = "part-00000.parquet", "_manifest.json"


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """Facts of one published partition of one table; `columns` maps names to Arrow types.

    `erased` rows were there when it was observed and were removed since, for the people's sake.
    """

    format_version: int = FORMAT_VERSION
    table: str
    partition: str
    file: str
    rows: int
    bytes: int
    sha256: str
    columns: dict[str, str]
    run: str
    generation: int
    observed_at: datetime
    erased: int = 0

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a manifest; raises FileNotFoundError where there is none."""
        try:
            return msgspec.json.decode(path.read_bytes(), type=cls)
        except UNREADABLE as error:
            raise LakeError(f"{path} is damaged: run the partition again") from error
        except IsADirectoryError as error:
            raise LakeError(f"{path} is a folder: move it away and run the partition again") from error

    def stage(self, aside: Path) -> Path:
        """Write the manifest into a folder aside, down to the disk; give its file."""
        return write_file(aside / f"{self.table}{NAME}", msgspec.json.format(msgspec.json.encode(self)))


def column_types(schema: pa.Schema) -> dict[str, str]:
    """Write a schema as names and types."""
    return {field.name: str(field.type) for field in schema}
