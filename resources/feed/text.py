"""Keys of text files, line by line: JSON lines and CSV."""

import codecs
import csv
import io
from collections.abc import Callable, Iterator
from functools import cached_property
from itertools import chain
from typing import Protocol, cast

import msgspec
import pyarrow as pa

from resources.errors import ConfigurationError
from resources.feed.complaints import ambiguous, broken, no_column
from resources.feed.place import File

BLOCK_BYTES = 1 << 20
MAX_LINE_BYTES = 16 << 20
EVENTS_ASKED_FOR_NAMES = 100

Lines = Iterator[tuple[int, bytes]]

KINDS = {
    bool: "a boolean",
    float: "a fraction",
    int: "an integer",
    str: "text",
    list: "a list",
    dict: "an object",
}


def usable(key: str) -> str | None:
    """Return the key exactly as it is, or None if nothing is in it."""
    return None if not key or key.isspace() else key


def whole_lines(file: File, compression: str | None) -> Lines:
    """Yield blocks of whole lines in UTF-8, each with the number of its first line."""
    line, rest = 1, b""
    try:
        for block in _blocks(file, compression):
            head, newline, tail = block.rpartition(b"\n")
            if newline:
                yield line, _checked(file, line, rest + head + newline)
                line += block.count(b"\n")
                rest = b""
            rest = _short_enough(file, line, rest + tail)
    except (pa.ArrowException, OSError) as error:
        raise broken(file.shown, line, f"from here on the file cannot be read: {error}") from error
    if rest:
        yield line, _checked(file, line, rest)


def _blocks(file: File, compression: str | None) -> Iterator[bytes]:
    with file.stream(compression) as stream:
        while block := stream.read(BLOCK_BYTES):
            yield block


def _checked(file: File, line: int, block: bytes) -> bytes:
    try:
        block.decode("utf-8")
    except UnicodeDecodeError as error:
        at = line + block.count(b"\n", 0, error.start)
        raise broken(file.shown, at, f"not UTF-8 ({error.reason})") from None  # it holds the whole block
    return block.removeprefix(codecs.BOM_UTF8) if line == 1 else block


def _short_enough(file: File, line: int, rest: bytes) -> bytes:
    if len(rest) > MAX_LINE_BYTES:
        raise broken(file.shown, line, f"longer than {MAX_LINE_BYTES} bytes")
    return rest


class _Event(Protocol):
    key: object


class JsonLines:
    """Reads one value of each JSON object; remembers over all files whether the column was ever there."""

    def __init__(self, column: str) -> None:
        self.column = column
        self.path = column.split(".")
        self.events = 0
        self.without = 0
        self.names: dict[str, None] = {}

    @cached_property
    def decode(self) -> Callable[[bytes], _Event]:
        """Decode one field of checked UTF-8: msgspec does not look into the others."""
        fields = [("key", object, msgspec.UNSET)]
        try:
            event = msgspec.defstruct("Event", fields, rename={"key": self.path[0]}, gc=False)
        except ValueError as error:
            raise ConfigurationError(
                f"The feed's column {self.column!r} cannot be read from JSON: {error}"
            ) from error
        return cast("Callable[[bytes], _Event]", msgspec.json.Decoder(event).decode)

    def keys(self, file: File, lines: Lines) -> Iterator[str | None]:
        """Yield the key of every event."""
        for first, block in lines:
            for number, line in enumerate(block.split(b"\n"), first):
                if line and not line.isspace():
                    self.events += 1
                    yield self._key(file, number, line)

    def require_column(self, where: str) -> None:
        """Raise if there were events, and the column in none of them."""
        if self.events and self.without == self.events:
            raise no_column(where, self.column, self.names)

    def _key(self, file: File, number: int, line: bytes) -> str | None:
        try:
            value = self.decode(line).key
        except (msgspec.DecodeError, RecursionError) as error:
            raise broken(file.shown, number, f"not a JSON object: {error}") from error
        if len(self.path) > 1:
            value = self._inner(file, number, value)
        if type(value) is str:
            return usable(value)
        if value is msgspec.UNSET:
            self._note_absence(line)
        return self._text(file, number, value)

    def _inner(self, file: File, number: int, value: object) -> object:
        for name in self.path[1:]:
            if value is None or value is msgspec.UNSET:
                return msgspec.UNSET
            if not isinstance(value, dict):
                why = f"{self.column!r} leads through {KINDS[type(value)]}, expected an object"
                raise broken(file.shown, number, why)
            value = value.get(name, msgspec.UNSET)
        return value

    def _text(self, file: File, number: int, value: object) -> str | None:
        if value is None or value is msgspec.UNSET:
            return None
        if type(value) is int:
            return str(value)
        raise broken(
            file.shown, number, f"{self.column!r} is {KINDS[type(value)]}, expected text or an integer"
        )

    def _note_absence(self, line: bytes) -> None:
        self.without += 1
        if self.without == self.events <= EVENTS_ASKED_FOR_NAMES:
            self.names.update(dict.fromkeys(_names(msgspec.json.decode(line), self.path)))


def _names(event: dict[str, object], path: list[str]) -> list[str]:
    """Name what stands at the depth where the path ends."""
    prefix = ""
    for name in path:
        inner = event.get(name)
        if not isinstance(inner, dict):
            break
        event, prefix = inner, f"{prefix}{name}."
    return [prefix + name for name in event]


def csv_keys(file: File, lines: Lines, column: str, *, delimiter: str) -> Iterator[str | None]:
    """Yield the key of every row; the first row names the columns."""
    rows = _rows(file, lines, delimiter)
    header = next(rows, None)
    if header is None:
        return
    if column not in header:
        raise no_column(file.shown, column, header)
    if header.count(column) > 1:
        raise ambiguous(file.shown, column)
    position = header.index(column)
    for row in rows:
        yield usable(row[position])


def _rows(file: File, lines: Lines, delimiter: str) -> Iterator[list[str]]:
    """Yield all rows but blank ones, all as wide as the first."""
    # StringIO with this newline splits at line feeds only and keeps them, as csv needs for quoted ones.
    physical = chain.from_iterable(io.StringIO(block.decode("utf-8"), newline="\n") for _, block in lines)
    reader = csv.reader(physical, delimiter=delimiter, strict=True)
    line, width = 1, 0
    try:
        for row in reader:
            if row and not (len(row) == 1 < width and row[0].isspace()):
                width = width or len(row)
                if len(row) != width:
                    raise broken(file.shown, line, f"{len(row)} cells, the header has {width}")
                yield row
            line = reader.line_num + 1
    except csv.Error as error:
        raise broken(file.shown, line, f"not CSV: {error}") from error
