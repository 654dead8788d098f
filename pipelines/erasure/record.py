"""The record of an erasure, which the lake keeps."""

from datetime import datetime
from pathlib import Path

import msgspec

from resources.privacy.person import Person
from resources.table_file import make_folder, replace, write_file

RECORDS = "_erasures"
FORMAT_VERSION = 1


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept of an erasure: nothing that tells whom it was of."""

    format_version: int = FORMAT_VERSION
    id: str
    at: datetime
    version: str
    kinds: list[str]
    identities: int
    rows: dict[str, dict[str, int]]
    fenced: int
    removed: int
    finished: bool = True
    left: int | None
    shared: int | None

    def write(self, root: Path) -> Path:
        """Write it into the lake, down to the disk."""
        make_folder(root / RECORDS)
        name = f"{self.at:%Y%m%dT%H%M%SZ}-{self.id}.json"
        text = msgspec.json.format(msgspec.json.encode(self))
        replace(write_file(root / RECORDS / f".{name}.part", text), root / RECORDS / name)
        return root / RECORDS / name


def discreet(rows: dict[str, dict[str, int]], person: Person) -> dict[str, dict[str, int]]:
    """Leave out the name of a partition that is the person's own."""
    said: dict[str, dict[str, int]] = {store: {} for store in rows}
    for store, found in rows.items():
        for place, number in found.items():
            is_theirs = any(value in place for value in person.values)
            name = place.partition(" ")[0] if is_theirs else place
            said[store][name] = said[store].get(name, 0) + number
    return said
