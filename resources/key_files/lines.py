"""Text files as blocks of whole lines."""

import codecs
from collections.abc import Iterator

import pyarrow as pa

from resources.key_files.complaints import broken
from resources.key_files.content import Content
from resources.key_files.place import File

MAX_LINE_BYTES = 16 << 20

Lines = Iterator[tuple[int, bytes]]


def usable(key: str) -> str | None:
    """Return the key exactly as it is, or None if nothing is in it."""
    return None if not key or key.isspace() else key


def whole_lines(file: File, compression: str | None, content: Content) -> Lines:
    """Yield blocks of whole lines in UTF-8, each with the number of its first line."""
    line, rest = 1, b""
    try:
        for block in content.blocks(file, compression):
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
