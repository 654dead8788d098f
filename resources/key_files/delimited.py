"""Keys of CSV and TSV files, row by row."""

import csv
import io
from collections.abc import Iterator, Sequence
from itertools import chain

from resources.key_files.columns import Cells
from resources.key_files.complaints import ambiguous, broken, no_column
from resources.key_files.lines import Lines, usable
from resources.key_files.place import File


def csv_keys(file: File, lines: Lines, column: str, *, delimiter: str) -> Iterator[str | None]:
    """Yield the key of every row; the first row names the columns."""
    rows = _rows(file, lines, delimiter)
    for (position,) in _positions(file, rows, [column]):
        for row in rows:
            yield usable(row[position])


def csv_rows(file: File, lines: Lines, columns: Sequence[str], *, delimiter: str) -> Iterator[Cells]:
    """Yield the key columns of every row."""
    rows = _rows(file, lines, delimiter)
    for positions in _positions(file, rows, columns):
        for row in rows:
            yield tuple([usable(row[position]) for position in positions])


def _positions(file: File, rows: Iterator[list[str]], columns: Sequence[str]) -> list[list[int]]:
    """Find the columns in the first row; nothing where there is none."""
    header = next(rows, None)
    if header is None:
        return []
    for column in columns:
        if column not in header:
            raise no_column(file.shown, column, header)
        if header.count(column) > 1:
            raise ambiguous(file.shown, column)
    return [[header.index(column) for column in columns]]


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
