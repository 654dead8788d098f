"""Compares files with the server's rows: `python -m tests.benchmarks.check KIND ROWS FOLDER PATTERN`."""

import json
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tests.benchmarks.rows import ID_DIGITS, Rows
from tests.truth import expected, plain, root_field, snake

IDS = ("profile_id", "profileId")
LISTS = ("identifiers", "attributes", "permissions", "notifications", "usedApps", "cookieConsents")
SAMPLE = 2_000  # rows of the first and of the last row group


def check(kind: str, number: int, folder: Path, pattern: str) -> None:
    """Raise AssertionError where the files are not what they should be."""
    rows = Rows(number)
    if kind == "records":
        with (folder / "records.jsonl").open() as lines:
            messages = [json.loads(line) for line in lines]
        kept = [message["record"] for message in messages if message["type"] == "RECORD"]
        assert kept == [json.loads(rows.text(index)) for index in range(number)]
        return
    files = [pq.ParquetFile(path) for path in sorted(folder.glob(pattern))]
    check_ids(files, rows)
    if kind in ("typed", "sample"):
        check_values(files, rows, whole=kind == "typed")
    if kind == "children":
        check_children(folder, rows)


def check_ids(files: list[pq.ParquetFile], rows: Rows) -> None:
    """Each row is there, once."""
    name = next(name for name in IDS if name in files[0].schema_arrow.names)
    ids = pa.concat_tables([file.read(columns=[name]) for file in files])[name]
    assert len(ids) == rows.number, f"{len(ids)} rows instead of {rows.number}"
    numbers = pc.cast(pc.utf8_slice_codeunits(ids, -ID_DIGITS), pa.int64())
    assert pc.count_distinct(numbers).as_py() == rows.number
    assert pc.max(numbers).as_py() == rows.number - 1


def check_values(files: list[pq.ParquetFile], rows: Rows, *, whole: bool) -> None:
    """All values are the server's, and have their types."""
    for file in files:
        last = file.num_row_groups - 1
        for group in range(last + 1) if whole else sorted({0, last}):
            table = file.read_row_group(group)
            step = 1 if whole else len(table) // SAMPLE + 1
            check_table(table.take(pa.array(range(0, len(table), step))), rows)


def check_table(table: pa.Table, rows: Rows) -> None:
    """Compare each row with that of the same number, made in plain Python; names may be in camel case."""
    table = table.rename_columns([snake(name) for name in table.column_names])
    if "fetched_at" not in table.column_names:
        table = table.append_column("fetched_at", pa.nulls(len(table)))
    field = root_field()
    for row in plain(table):
        found = {snake(name): value for name, value in row.items()}
        index = int(found["profile_id"][-ID_DIGITS:])
        wanted = expected(json.loads(rows.text(index)), field)
        assert _snake(found) == wanted, f"row {index}: {found} instead of {wanted}"


def check_children(folder: Path, rows: Rows) -> None:
    """Each nested list is a table of its own, with as many rows as the list has entries."""
    profiles = [json.loads(rows.text(index)) for index in range(rows.number)]
    counted = {snake(name): sum(len(p[name] or ()) for p in profiles) for name in LISTS}
    consents = [consent for p in profiles for consent in p["cookieConsents"] or ()]
    counted["cookie_consents__purposes"] = sum(len(consent["purposes"] or ()) for consent in consents)
    for name, number in counted.items():
        paths = [p for p in folder.rglob(f"profiles__{name}*") if "working" not in p.parts]
        files = [file for p in paths for file in (p.rglob("*.parquet") if p.is_dir() else [p])]
        found = sum(pq.ParquetFile(file).metadata.num_rows for file in files if _is_of(file, name))
        assert found == number, f"{name}: {found} rows instead of {number}"


def _is_of(file: Path, name: str) -> bool:
    """Tell cookie_consents from cookie_consents__purposes."""
    return f"profiles__{name}" in (file.parent.name, file.stem)


def _snake(value: object) -> object:
    if isinstance(value, list):
        return [_snake(item) for item in value]
    if isinstance(value, dict):
        return {snake(name): _snake(item) for name, item in value.items()}
    return value


if __name__ == "__main__":
    check(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]), sys.argv[4])
