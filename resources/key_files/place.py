"""Where a day's files are: the pattern, its file system, and what matches."""

import datetime
import fnmatch
import os
import re
import string
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import takewhile
from typing import NoReturn
from urllib.parse import quote, unquote

import pyarrow as pa
from pyarrow import fs

from resources.errors import ConfigurationError, FeedError

# Requests to a store have this size; a compressed stream would otherwise ask for 64 KiB at a time.
BUFFER_BYTES = 4 << 20

URI = re.compile(r"(?P<scheme>[A-Za-z][\w+.-]*)://(?P<authority>[^/?]*)(?P<path>[^\n]*)")
STORE_OPTIONS = re.compile(r"\?[a-z_]+=.*")
PASSWORD = re.compile(r"(?<=://)[^@]*:[^@]*@")
DIRECTIVE = re.compile(r"%-?[A-Za-z]")
UNRESERVED = "%/:@=+,;!$&'()~"
EXAMPLE = "for example events/{date}/*.jsonl.gz or s3://bucket/{date:%Y/%m/%d}/**/*.parquet"


@dataclass(frozen=True, slots=True)
class Place:
    """A day's pattern: a literal folder on a file system, then the parts to match below it."""

    shown: str  # for people: without password and store options
    scheme: str  # empty on the local disk
    system: fs.FileSystem
    folder: str
    parts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class File:
    """One file of the feed."""

    shown: str
    system: fs.FileSystem
    path: str
    bytes: int
    modified: int = 0  # nanoseconds since 1970, 0 where the store does not say

    def stream(self, compression: str | None) -> pa.NativeFile:
        """Open it for reading from start to end."""
        return self.system.open_input_stream(self.path, compression=compression, buffer_size=BUFFER_BYTES)

    def random(self) -> pa.NativeFile:
        """Open it for reading at any position."""
        return self.system.open_input_file(self.path)


def expanded(pattern: str, day: datetime.date) -> str:
    """Put the day into the pattern."""
    try:
        pieces = list(string.Formatter().parse(pattern))
    except ValueError as error:
        raise ConfigurationError(f"The feed's pattern has unbalanced braces; {EXAMPLE}.") from error
    if not any(field is not None for _, field, _, _ in pieces):
        raise ConfigurationError(
            f"The feed's pattern has no {{date}}: each day would read the same file; {EXAMPLE}."
        )
    return "".join(text + _dated(field, spec, conversion, day) for text, field, spec, conversion in pieces)


def _dated(field: str | None, spec: str | None, conversion: str | None, day: datetime.date) -> str:
    if field is None:
        return ""
    if field != "date" or conversion or (spec and not _moves(spec)):
        raise ConfigurationError(
            "The feed's pattern may hold {date} or {date:%Y/%m/%d} and no other placeholder; " + EXAMPLE + "."
        )
    return format(day, spec or "%Y-%m-%d")


def _moves(spec: str) -> bool:
    return "{" not in spec and DIRECTIVE.search(spec.replace("%%", "")) is not None


def placed(pattern: str) -> Place:
    """Find the file system of an expanded pattern, and split it where its wildcards begin."""
    uri = URI.fullmatch(pattern)
    if uri is None:
        end = "/" if pattern.endswith("/") else ""
        folder, parts = _split(os.path.abspath(os.path.expanduser(pattern)) + end)
        return Place(pattern, "", fs.LocalFileSystem(), folder, tuple(parts))
    return _on_store(*uri.group("scheme", "authority", "path"))


def _on_store(scheme: str, authority: str, path: str) -> Place:
    options = STORE_OPTIONS.search(path) if scheme != "file" else None
    query = options.group() if options else ""
    path = path.removesuffix(query)
    folder, parts = _split(path)
    shown = PASSWORD.sub("***@", f"{scheme}://{authority}{path}")
    system, root = _connect(f"{scheme}://{authority}{quote(folder, safe=UNRESERVED)}{query}", shown)
    return Place(shown, "" if scheme == "file" else scheme, system, root, tuple(map(unquote, parts)))


def _connect(uri: str, shown: str) -> tuple[fs.FileSystem, str]:
    """Errors name the address as shown: the address itself may hold a password."""
    try:
        system, root = fs.FileSystem.from_uri(uri)
    except OSError as error:
        _refused(shown, error)
    except (pa.ArrowException, ValueError) as error:
        why = str(error).replace(uri, shown)
        raise ConfigurationError(f"The feed's address {shown} cannot be used: {why}; {EXAMPLE}.") from None
    return system, root


def _split(path: str) -> tuple[str, list[str]]:
    """Return the longest folder without wildcards, and the parts below it."""
    parts = [part for part in path.split("/") if part]
    if not parts or path.endswith("/"):
        raise ConfigurationError(
            f"The feed's pattern names a folder: end it with a file name or *; {EXAMPLE}."
        )
    literal = list(takewhile(lambda part: not _wild(part), parts[:-1]))
    return "/" + "/".join(literal), parts[len(literal) :]


def matches(place: Place) -> list[File]:
    """Return the files that match, sorted; an absent folder matches nothing."""
    try:
        found = {info.path: info for info in _walk(place.system, place.folder.rstrip("/"), place.parts)}
    except OSError as error:
        _refused(place.shown, error)
    prefix = f"{place.scheme}://" if place.scheme else ""
    return [
        File(prefix + path, place.system, path, info.size or 0, info.mtime_ns or 0)
        for path, info in sorted(found.items())
    ]


def _refused(shown: str, error: OSError) -> NoReturn:
    message = f"{shown} cannot be listed: {error}. Mend the address, the credentials or the permission."
    raise FeedError(message) from error


def _walk(system: fs.FileSystem, folder: str, parts: tuple[str, ...]) -> Iterator[fs.FileInfo]:
    part, rest = parts[0], parts[1:]
    if part == "**":
        yield from _walk(system, folder, rest or ("*",))
        for below in _entries(system, folder, "*", fs.FileType.Directory):
            yield from _walk(system, below.path, parts)
    elif not rest:
        yield from _entries(system, folder, part, fs.FileType.File)
    elif _wild(part):
        for below in _entries(system, folder, part, fs.FileType.Directory):
            yield from _walk(system, below.path, rest)
    else:
        yield from _walk(system, f"{folder}/{part}", rest)


def _entries(system: fs.FileSystem, folder: str, part: str, kind: fs.FileType) -> list[fs.FileInfo]:
    if not _wild(part):
        return [info for info in system.get_file_info([f"{folder}/{part}"]) if info.type == kind]
    listed = system.get_file_info(fs.FileSelector(folder or "/", allow_not_found=True))
    return [info for info in listed if info.type == kind and _fits(info.base_name, part)]


def _fits(name: str, part: str) -> bool:
    """Leave out what writers hide (_SUCCESS, _temporary, .crc) unless the pattern spells it."""
    hidden = name[:1] in "_." and part[0] != name[0]
    return not hidden and fnmatch.fnmatchcase(name, part)


def _wild(part: str) -> bool:
    return any(character in part for character in "*?[")
