"""The distinct keys of a day's event files."""

import datetime
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice

from resources.errors import FeedError, FeedMissing
from resources.key_files.columns import Columns, Row
from resources.key_files.content import COMPRESSIONS, Content, compression_of
from resources.key_files.delimited import csv_keys, csv_rows
from resources.key_files.json_lines import JsonLines
from resources.key_files.keys import FeedKeys
from resources.key_files.lines import whole_lines
from resources.key_files.parquet import parquet_keys, parquet_rows
from resources.key_files.place import File, Place, expanded, matches, placed

JSON_LINES = (".jsonl", ".ndjson", ".json")
DELIMITERS = {".csv": ",", ".tsv": "\t"}
PARQUET = ".parquet"


def read_keys(
    pattern: str,
    *,
    day: datetime.datetime | datetime.date,
    columns: Mapping[str, str],
    require: str = "all",
    late_seconds: float | None = 1800.0,
) -> FeedKeys:
    """Read the distinct keys of a day's files; memory grows with the distinct keys only.

    `columns` maps each key column's name in the table to its column or field in the feed. An event counts if
    it has `all` of them, or `any` (then the others are null). While there is no file the day may be tried
    again after `late_seconds`; None if it is too long past.
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
    return _Reading(Columns(columns, require)).read(place, files)


def read_key_file(path: str, *, columns: Mapping[str, str], require: str = "all") -> FeedKeys:
    """Read the distinct keys of one file, or of all that a pattern without a date matches."""
    place = placed(path)
    files = matches(place)
    if not files:
        raise FeedError(f"There is no file {place.shown}.")
    return _Reading(Columns(columns, require)).read(place, files)


def read_sample(
    file: File, *, columns: Mapping[str, str], require: str = "all", events: int = 1000
) -> FeedKeys:
    """Read the distinct keys of a file's first events, so many; what comes after them is not looked at."""
    return _Reading(Columns(columns, require)).sample(file, events)


@dataclass(slots=True)
class _Tally:
    seen: set[Row] = field(default_factory=set)
    events: int = 0
    null_keys: int = 0

    def take(self, rows: Iterator[Row | None]) -> None:
        add, events, null_keys = self.seen.add, 0, 0
        for row in rows:
            events += 1
            if row is None:
                null_keys += 1
            else:
                add(row)
        self.events += events
        self.null_keys += null_keys


class _Reading:
    """Reads files of any format, one after the other."""

    def __init__(self, columns: Columns) -> None:
        self._columns = columns
        self._sources = list(columns.sources.values())
        self._json_lines = JsonLines(self._sources)
        self._content = Content()
        self._tally = _Tally()

    def read(self, place: Place, files: list[File]) -> FeedKeys:
        for file, ending in [(file, _ending(file)) for file in files]:
            self._tally.take(self._rows(file, ending))
        return self._found(place.shown, files)

    def sample(self, file: File, events: int) -> FeedKeys:
        self._tally.take(islice(self._rows(file, _ending(file)), events))
        return self._found(file.shown, [file])

    def _found(self, shown: str, files: list[File]) -> FeedKeys:
        self._json_lines.require_columns(shown)
        tally = self._tally
        return FeedKeys(
            keys=self._columns.table(tally.seen),
            events=tally.events,
            null_keys=tally.null_keys,
            duplicate_keys=tally.events - tally.null_keys - len(tally.seen),
            version=self._content.version,
            files=tuple(file.shown for file in files),
            bytes=sum(file.bytes for file in files),
        )

    def _rows(self, file: File, ending: str) -> Iterator[Row | None]:
        compression = compression_of(file)
        if compression and not file.bytes:
            raise FeedError(f"{file.shown} has no bytes, it is not {compression}: have it delivered again.")
        if ending == PARQUET:
            return self._of_parquet(file)
        lines = whole_lines(file, compression, self._content)
        one = len(self._sources) == 1
        if ending in DELIMITERS:
            mark = DELIMITERS[ending]
            if one:
                return csv_keys(file, lines, self._sources[0], delimiter=mark)
            return self._columns.kept(csv_rows(file, lines, self._sources, delimiter=mark))
        return (
            self._json_lines.keys(file, lines)
            if one
            else self._columns.kept(self._json_lines.rows(file, lines))
        )

    def _of_parquet(self, file: File) -> Iterator[Row | None]:
        """Read twice: the key columns, and the whole for its digest."""
        if len(self._sources) == 1:
            yield from parquet_keys(file, self._sources[0])
        else:
            yield from self._columns.kept(parquet_rows(file, self._sources))
        self._content.add(file)


def _ending(file: File) -> str:
    """Return the ending that tells the format."""
    name, compression = file.shown.lower(), compression_of(file)
    stem = name.rpartition(".")[0] if compression else name
    for ending in (*JSON_LINES, *DELIMITERS, *([] if compression else [PARQUET])):
        if stem.endswith(ending):
            return ending
    texts = ", ".join([*JSON_LINES, *DELIMITERS])
    packed = ", ".join(COMPRESSIONS)
    raise FeedError(
        f"{file.shown}: its format is unknown. Understood are {texts} (also with {packed}) and {PARQUET}."
    )
