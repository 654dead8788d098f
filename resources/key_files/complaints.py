"""Errors of the feed that several formats share; they name places and columns, never content."""

import re
from collections.abc import Iterable

from resources.errors import ColumnMissing, FeedError

NAMES_SHOWN = 20
# A file without a header, or objects named after customers, would show keys as names: no digits, no @.
LOOKS_LIKE_A_NAME = re.compile(r"[^\W\d][^\W\d .-]*(?:[ .-][^\W\d .-]+)*")
LONGEST_NAME = 40


def broken(file: str, line: int, why: str) -> FeedError:
    """Return the error for a line that cannot be read."""
    return FeedError(f"{file}, line {line}: {why}. Mend the file, or have it delivered again.")


def no_column(where: str, column: str, names: Iterable[str]) -> ColumnMissing:
    """Return the error for a column that is not there, with the names that are."""
    return ColumnMissing(
        f"{where}: no column {column!r}; there are: {_listed(list(names))}. Mend the column's name."
    )


def ambiguous(file: str, column: str) -> FeedError:
    """Return the error for a column that is there more than once."""
    return FeedError(f"{file}: several columns are named {column!r}. Mend the feed, or name another column.")


def _listed(names: list[str]) -> str:
    shown = [n for n in names if len(n) <= LONGEST_NAME and LOOKS_LIKE_A_NAME.fullmatch(n)][:NAMES_SHOWN]
    hidden = len(names) - len(shown)
    return ", ".join([*shown, *([f"{hidden} not shown"] if hidden else [])]) or "none"
