"""The distinct keys of a day's event files."""

import datetime
from collections.abc import Iterator
from dataclasses import dataclass, field

import pyarrow as pa

from resources.errors import FeedError, FeedMissing
from resources.feed.parquet import parquet_keys
from resources.feed.place import File, Place, expanded, matches, placed
from resources.feed.text import JsonLines, csv_keys, whole_lines

JSON_LINES = (".jsonl", ".ndjson", ".json")
DELIMITERS = {".csv": ",", ".tsv": "\t"}
PARQUET = ".parquet"
COMPRESSIONS = {".gz": "gzip", ".zst": "zstd", ".bz2": "bz2"}


@dataclass(frozen=True, slots=True)
class FeedKeys:
    """The distinct keys of a day; `events == null_keys + duplicate_keys + keys.num_rows`."""

    keys: pa.Table  # one text column, distinct, sorted by code point, no nulls
    files: tuple[str, ...]  # in the order read
    events: int  # lines or rows; blank lines are none
    null_keys: int  # events without a key: null, missing, or nothing but white space
    duplicate_keys: int  # events whose key had been seen before
    bytes: int  # as stored


@dataclass(slots=True)
class _Tally:
    seen: set[str] = field(default_factory=set)
    events: int = 0
    null_keys: int = 0

    def take(self, keys: Iterator[str | None]) -> None:
        for key in keys:
            self.events += 1
            if key is None:
                self.null_keys += 1
            else:
                self.seen.add(key)


def read_keys(
    pattern: str,
    *,
    day: datetime.datetime | datetime.date,
    column: str,
    name: str,
    late_seconds: float | None = 1800.0,
) -> FeedKeys:
    """Read the distinct keys of a day's files; memory grows with the distinct keys only.

    While there is no file the day may be tried again after `late_seconds`; None if it is too long past.
    """
    place = placed(expanded(pattern, day))
    files = matches(place)
    if not files:
        if late_seconds is None:
            raise FeedError(
                f"No file matches {place.shown}, and the day is long past: have it delivered, mend the "
                "pattern, or leave out the days before the feed began."
            )
        message = f"No file matches {place.shown}: the feed may be late. If it is not, mend the pattern."
        raise FeedMissing(message, after_seconds=late_seconds)
    return _read(place, files, column, name)


def read_key_file(path: str, *, column: str, name: str) -> FeedKeys:
    """Read the distinct keys of one file, or of all that a pattern without a date matches."""
    place = placed(path)
    files = matches(place)
    if not files:
        raise FeedError(f"There is no file {place.shown}.")
    return _read(place, files, column, name)


def _read(place: Place, files: list[File], column: str, name: str) -> FeedKeys:
    tally, json_lines = _Tally(), JsonLines(column)
    for file, (ending, compression) in [(file, _format(file)) for file in files]:
        tally.take(_keys(file, ending, compression, json_lines))
    json_lines.require_column(place.shown)
    return _result(tally, files, name)


def _format(file: File) -> tuple[str, str | None]:
    """Return the ending that tells the format, and the compression around it."""
    base = file.shown.lower()
    stem, compression = base, None
    for ending, codec in COMPRESSIONS.items():
        if base.endswith(ending):
            stem, compression = base.removesuffix(ending), codec
    for ending in (*JSON_LINES, *DELIMITERS, *([] if compression else [PARQUET])):
        if stem.endswith(ending):
            return ending, compression
    texts = ", ".join([*JSON_LINES, *DELIMITERS])
    packed = ", ".join(COMPRESSIONS)
    raise FeedError(
        f"{file.shown}: its format is unknown. Understood are {texts} (also with {packed}) and {PARQUET}."
    )


def _keys(file: File, ending: str, compression: str | None, json_lines: JsonLines) -> Iterator[str | None]:
    if compression and not file.bytes:
        raise FeedError(f"{file.shown} has no bytes, it is not {compression}: have it delivered again.")
    if ending == PARQUET:
        return parquet_keys(file, json_lines.column)
    lines = whole_lines(file, compression)
    if ending in DELIMITERS:
        return csv_keys(file, lines, json_lines.column, delimiter=DELIMITERS[ending])
    return json_lines.keys(file, lines)


def _result(tally: _Tally, files: list[File], name: str) -> FeedKeys:
    return FeedKeys(
        keys=pa.table({name: pa.array(sorted(tally.seen), pa.string())}),
        files=tuple(file.shown for file in files),
        events=tally.events,
        null_keys=tally.null_keys,
        duplicate_keys=tally.events - tally.null_keys - len(tally.seen),
        bytes=sum(file.bytes for file in files),
    )
