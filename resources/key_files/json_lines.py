"""Keys of JSON lines, object by object."""

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from operator import attrgetter
from typing import TypeVar

import msgspec

from resources.errors import ConfigurationError
from resources.key_files.columns import Cells
from resources.key_files.complaints import broken, no_column
from resources.key_files.lines import Lines, usable
from resources.key_files.place import File

EVENTS_ASKED_FOR_NAMES = 100

KINDS = {
    bool: "a boolean",
    float: "a fraction",
    int: "an integer",
    str: "text",
    list: "a list",
    dict: "an object",
}

T = TypeVar("T")


class JsonLines:
    """Reads some values of each JSON object; remembers over all files whether they were ever there."""

    def __init__(self, columns: Sequence[str]) -> None:
        self._tops = list(dict.fromkeys(column.split(".")[0] for column in columns))
        self._columns = [_Column(column, self._tops) for column in columns]
        self._events = 0

    def keys(self, file: File, lines: Lines) -> Iterator[str | None]:
        """Yield the only column of every event."""
        return self._each(file, lines, self._columns[0].text)

    def rows(self, file: File, lines: Lines) -> Iterator[Cells]:
        """Yield the key columns of every event."""
        return self._each(file, lines, self._row)

    def require_columns(self, where: str) -> None:
        """Raise if there were events, and a column in none of them."""
        for column in self._columns:
            if self._events and column.without == self._events:
                raise no_column(where, column.name, column.names)

    @cached_property
    def _decode(self) -> Callable[[bytes], object]:
        """Decode these fields of checked UTF-8: msgspec does not look into the others."""
        fields = [(f"f{number}", object, msgspec.UNSET) for number in range(len(self._tops))]
        names = {f"f{number}": name for number, name in enumerate(self._tops)}
        try:
            event = msgspec.defstruct("Event", fields, rename=names, gc=False)
        except ValueError as error:
            shown = ", ".join(repr(column.name) for column in self._columns)
            raise ConfigurationError(
                f"The feed's column {shown} cannot be read from JSON: {error}"
            ) from error
        return msgspec.json.Decoder(event).decode

    def _each(self, file: File, lines: Lines, read: Callable[[File, int, bytes, object], T]) -> Iterator[T]:
        decode = self._decode
        for first, block in lines:
            for number, line in enumerate(block.split(b"\n"), first):
                if line:
                    try:
                        event = decode(line)
                    except (msgspec.DecodeError, RecursionError) as error:
                        if line.isspace():
                            continue
                        raise broken(file.shown, number, f"not a JSON object: {error}") from error
                    self._events += 1
                    yield read(file, number, line, event)

    def _row(self, file: File, number: int, line: bytes, event: object) -> Cells:
        return tuple([column.text(file, number, line, event) for column in self._columns])


class _Column:
    """One value of an event; a dotted name leads into objects."""

    def __init__(self, name: str, tops: list[str]) -> None:
        self.name = name
        self.without = 0
        self.names: dict[str, None] = {}
        self._path = name.split(".")
        self._top = attrgetter(f"f{tops.index(self._path[0])}")

    def text(self, file: File, number: int, line: bytes, event: object) -> str | None:
        """Give it as text, None where nothing is in it."""
        value = self._top(event)
        if len(self._path) > 1:
            value = self._inner(file, number, value)
        if type(value) is str:
            return usable(value)
        if value is msgspec.UNSET:
            self._note_absence(line)
            return None
        return self._text(file, number, value)

    def _inner(self, file: File, number: int, value: object) -> object:
        for name in self._path[1:]:
            if value is None or value is msgspec.UNSET:
                return msgspec.UNSET
            if not isinstance(value, dict):
                why = f"{self.name!r} leads through {KINDS[type(value)]}, expected an object"
                raise broken(file.shown, number, why)
            value = value.get(name, msgspec.UNSET)
        return value

    def _text(self, file: File, number: int, value: object) -> str | None:
        if value is None:
            return None
        if type(value) is int:
            return str(value)
        raise broken(
            file.shown, number, f"{self.name!r} is {KINDS[type(value)]}, expected text or an integer"
        )

    def _note_absence(self, line: bytes) -> None:
        self.without += 1
        if self.without <= EVENTS_ASKED_FOR_NAMES:
            self.names.update(dict.fromkeys(_names(msgspec.json.decode(line), self._path)))


def _names(event: dict[str, object], path: list[str]) -> list[str]:
    """Name what stands at the depth where the path ends."""
    prefix = ""
    for name in path:
        inner = event.get(name)
        if not isinstance(inner, dict):
            break
        event, prefix = inner, f"{prefix}{name}."
    return [prefix + name for name in event]
