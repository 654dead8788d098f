"""The key columns: their names in the table, and where the feed has them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import pyarrow as pa

from resources.errors import ConfigurationError

Cells = tuple[str | None, ...]
Row = str | Cells  # the key itself where there is one column

ENOUGH = {"all": all, "any": any}


@dataclass(frozen=True, slots=True)
class Columns:
    """Key columns by name; a row counts if it has all of them, or any."""

    sources: Mapping[str, str]
    require: str = "all"

    def __post_init__(self) -> None:
        """Refuse what names no key."""
        if not self.sources:
            raise ConfigurationError("no key column is named")
        if self.require not in ENOUGH:
            raise ConfigurationError(f"require is {self.require!r}; it may be {' or '.join(ENOUGH)}")

    @property
    def schema(self) -> pa.Schema:
        """The table's schema: all text."""
        return schema_of(self.sources)

    def kept(self, rows: Iterable[Cells]) -> Iterator[Cells | None]:
        """Give None for the rows that do not count."""
        enough = ENOUGH[self.require]
        for row in rows:
            yield row if enough(row) else None

    def table(self, rows: Iterable[Row]) -> pa.Table:
        """Make the sorted table of distinct rows; nulls come last."""
        if len(self.sources) == 1:
            columns: list[Sequence[str | None]] = [sorted(cast("Iterable[str]", rows))]
        else:
            ordered = sorted(cast("Iterable[Cells]", rows), key=_nulls_last)
            columns = list(zip(*ordered, strict=True)) or [()] * len(self.sources)
        arrays = [pa.array(column, pa.string()) for column in columns]
        return pa.Table.from_arrays(arrays, schema=self.schema)


def _nulls_last(cells: Cells) -> list[tuple[bool, str]]:
    return [(cell is None, cell or "") for cell in cells]


def schema_of(names: Iterable[str]) -> pa.Schema:
    """Give the schema of key columns."""
    return pa.schema([(name, pa.string()) for name in names])


def named_columns(texts: Sequence[str], names: Sequence[str]) -> dict[str, str]:
    """Read `NAME=COLUMN` for each key column; a single one may be a plain `COLUMN`."""
    if len(texts) == len(names) == 1 and "=" not in texts[0]:
        return {names[0]: texts[0]}
    columns: dict[str, str] = {}
    for text in texts:
        name, equals, column = (part.strip() for part in text.partition("="))
        if not (name and equals and column):
            raise ConfigurationError(f"{text}: write it as name=column")
        if name in columns:
            raise ConfigurationError(f"{text}: the column {name} is there twice")
        columns[name] = column
    return columns
