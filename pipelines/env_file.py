"""Settings that a command writes into `.env`: their lines only, in one step, for nobody else to read."""

import os
import re
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from io import StringIO
from pathlib import Path

from dotenv import dotenv_values
from dotenv.parser import Binding, parse_stream

from resources.errors import ConfigurationError
from resources.lock import released, take

MODE = 0o600
PLAIN = re.compile(r"[\w.~+/=:@%,-]*", re.ASCII)  # needs no quotes
SPACE, END = r"[^\S\r\n]", r"[^\S\r\n]*(?:\r\n|\n|\r|\Z)"
LINE = re.compile(  # as python-dotenv reads it, whose parser does not say where a value ends
    rf"(?P<name>\s*(?:export{SPACE}+)?(?:'[^']+'|[^=#\s]+)){SPACE}*"
    rf"(?:={SPACE}*?(?:"
    rf"(?:'(?:\\.|[^'\\])*'|\"(?:\\.|[^\"\\])*\")(?P<after>(?:{SPACE}*#[^\r\n]*)?{END})"
    rf"|[^\r\n]*?(?P<behind>(?:{SPACE}+#[^\r\n]*)?{END})"
    rf")|(?P<bare>(?:{SPACE}+#[^\r\n]*)?{END}))",
    re.DOTALL,
)


def write_settings(path: Path, settings: Mapping[str, str], *, template: Path) -> None:
    """Set variables in an env file, which is made of the template if there is none; empty ones are unset.

    Raises ConfigurationError where it cannot be; then it holds what it did.
    """
    place = Path(os.path.realpath(path))  # a link stays one
    if place.exists() and not place.is_file():
        raise ConfigurationError(f"{path} is no file that could be written; name its settings elsewhere")
    try:
        with _alone(place):
            text = _read(place) or _read(template)
            _replace(place, changed(text, settings))
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be written ({type(error).__name__})") from error
    except UnicodeDecodeError:
        raise ConfigurationError(f"{path} is no text in UTF-8: mend it first") from None


def changed(text: str, settings: Mapping[str, str]) -> str:
    """Change the lines of these variables, wherever they are, and add those that are missing at the end."""
    mark = "\ufeff" if text.startswith("\ufeff") else ""
    newline = "\r\n" if "\r\n" in text else "\n"
    bindings = list(parse_stream(StringIO(text)))
    lines = [_line(binding, settings) for binding in bindings]
    added = {
        name: value
        for name, value in settings.items()
        if value and name not in {binding.key for binding in bindings}
    }
    if added and lines and not lines[-1].endswith(("\n", "\r")):
        lines.append(newline)
    lines.extend(f"{name}={_quoted(value)}{newline}" for name, value in added.items())
    after = mark + "".join(lines)
    _require_read_as_meant(text, after, settings)
    return after


def _line(binding: Binding, settings: Mapping[str, str]) -> str:
    line = binding.original.string
    if binding.key is None or binding.key not in settings:
        return line
    found = LINE.fullmatch(line)
    if found is None:
        raise ConfigurationError(f".env has a line of {binding.key} that cannot be changed: mend it first")
    rest = next(group for group in found.group("after", "behind", "bare") if group is not None)
    if rest.startswith("#"):
        rest = " " + rest
    return f"{found['name']}={_quoted(settings[binding.key])}{rest}"


def _quoted(value: str) -> str:
    if PLAIN.fullmatch(value):
        return value
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _require_read_as_meant(before: str, after: str, settings: Mapping[str, str]) -> None:
    """Make sure that a reader gets the new values, and of all other lines what it got before."""
    read = dotenv_values(stream=StringIO(after))
    wrong = [name for name, value in settings.items() if (read.get(name) or "") != value]
    if wrong or _others(before, settings) != _others(after, settings):
        raise ConfigurationError(
            f"{', '.join(wrong or settings)} cannot be kept in .env: its value has ${{ in it, or a line "
            "there has a quote that is not closed"
        )


def _others(text: str, settings: Mapping[str, str]) -> list[tuple[str, str | None]]:
    bindings = parse_stream(StringIO(text))
    return [(found.key, found.value) for found in bindings if found.key and found.key not in settings]


def _read(path: Path) -> str:
    try:
        with path.open(encoding="utf-8", newline="") as file:  # line ends stay as they are
            return file.read()
    except FileNotFoundError:
        return ""


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Keep others from changing the file meanwhile; it is made where it is missing."""
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, MODE))
    while (held := take(path, wait=True)) is None:
        pass  # another one has put a new file in its place
    with released(held):
        yield


def _replace(path: Path, text: str) -> None:
    owner = path.stat()
    descriptor, name = tempfile.mkstemp(prefix=f"{path.name}.", dir=path.parent)  # its mode is 0600
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
            if (owner.st_uid, owner.st_gid) != (os.geteuid(), os.getegid()):
                os.fchown(descriptor, owner.st_uid, owner.st_gid)
            file.write(text)
            file.flush()
            os.fsync(descriptor)
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise
