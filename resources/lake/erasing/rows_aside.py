"""Rows that stand aside: of slices, failed keys, and partitions that are being written."""

import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from resources.lake.publishing.aside import STAGING

BEFORE_TABLE = re.compile(r"^(again-)*\d+-")  # in a slice's name


def rows_aside(root: Path) -> Iterator[tuple[str, pa.Table]]:
    """Give the rows of each file that can be read, with its table; failed keys are those of lookups."""
    for path in sorted((root / STAGING).rglob("*.*")):
        with suppress(OSError, pa.ArrowInvalid):  # nobody reads what is written by half, nor goes on from it
            if path.suffix == ".arrow":
                with pa.memory_map(str(path)) as source:
                    yield BEFORE_TABLE.sub("", path.stem), pa.ipc.open_file(source).read_all()
            elif path.suffix == ".parquet":
                is_failed = path.name.startswith("failed-")
                yield "__lookups" if is_failed else path.stem, pq.read_table(path)
