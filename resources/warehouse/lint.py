"""Where a warehouse would refuse a table of the lake, or misread it: what its documentation says of types."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

import pyarrow as pa
import pyarrow.types as pt

from resources.errors import ConfigurationError
from resources.warehouse.dialects import Dialect
from resources.warehouse.nested import is_list, warehouse_type

CAST = "cast it in the asset that makes the table, or keep it as text (TARGETDATA_SCALARS)"
RENAME = "give the field an alias in the query"
APART = "make the list a table of its own (explode)"

MOST_LEVELS, MOST_LETTERS, MOST_SNOWFLAKE_LETTERS = 15, 300, 255
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
RESERVED = re.compile(
    "(_TABLE_|_FILE_|_PARTITION|_ROW_TIMESTAMP|__ROOT__|_COLIDENTIFIER"
    "|_CHANGE_SEQUENCE_NUMBER|_CHANGE_TYPE|_CHANGE_TIMESTAMP)",
    re.IGNORECASE,
)


class Severity(StrEnum):
    """An error keeps the table from being loaded as it is in the lake; a warning is to be known."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """What becomes of a column, what to do about it, and the page of the documentation that says so."""

    severity: Severity
    column: str
    says: str
    do: str
    page: str

    def __str__(self) -> str:
        """Write it as a line."""
        return f"{self.severity}: {self.column}: {self.says}; {self.do} ({self.page})"


@dataclass(frozen=True, slots=True)
class Spot:
    """A column, or a field inside of one: its way from the table, and how many structs are around it."""

    path: str
    field: pa.Field
    structs: int = 0

    @property
    def nested(self) -> bool:
        """Whether it is inside of a column."""
        return "." in self.path or "[]" in self.path

    def inside(self) -> "Iterator[Spot]":
        """Give it, and all that is inside."""
        yield self
        if is_list(self.field.type):
            yield from Spot(f"{self.path}[]", self.field.type.value_field, self.structs).inside()
        elif pt.is_struct(self.field.type):
            for field in self.field.type:
                yield from Spot(f"{self.path}.{field.name}", field, self.structs + 1).inside()


def lint(schema: pa.Schema, own: pa.Field | None, table: str, dialect: Dialect) -> list[Finding]:
    """Look at each column and each field inside of one; errors come first."""
    spots = [spot for field in schema for spot in Spot(field.name, field).inside()]
    found = [*_everywhere(schema, own, spots, dialect), *RULES[dialect](spots)]
    if dialect is Dialect.BIGQUERY:
        found += _bigquery_table(schema, own, table)
    return sorted(found, key=lambda finding: finding.severity is not Severity.ERROR)


def _everywhere(
    schema: pa.Schema, own: pa.Field | None, spots: list[Spot], dialect: Dialect
) -> Iterator[Finding]:
    for spot in spots:
        kind = spot.field.type
        if not is_list(kind) and not pt.is_struct(kind):
            try:
                warehouse_type(spot.field, "", dialect)
            except ConfigurationError:
                yield _error(spot.path, f"{kind} has no type in a warehouse", CAST, "docs/handoff.md")
    if own and own.name.lower() in (name.lower() for name in schema.names):
        says = "has the name of the column that the partition's folder stands for"
        yield _error(own.name, says, RENAME, "docs/handoff.md")


def _duckdb(spots: list[Spot]) -> Iterator[Finding]:
    for spot in _doubled(spots):
        says = "differs from another name beside it in case only, which is refused"
        yield _error(spot.path, says, RENAME, "DuckDB, Keywords and Identifiers: Case Sensitivity")


def _snowflake(spots: list[Spot]) -> Iterator[Finding]:
    copy = "Snowflake, COPY INTO <table>: MATCH_BY_COLUMN_NAME"
    for spot in spots:
        if len(spot.field.name) > MOST_SNOWFLAKE_LETTERS and not spot.nested:
            says = f"a name has {MOST_SNOWFLAKE_LETTERS} characters at most"
            yield _error(spot.path, says, RENAME, "Snowflake, Identifier requirements")
        if spot.nested and pt.is_temporal(spot.field.type):
            says = f"in a nested column {spot.field.type} is kept as text"
            page = "Snowflake, Considerations for semi-structured data stored in VARIANT"
            yield _warning(spot.path, says, "cast it where it is read (::TIMESTAMP_LTZ, ::DATE)", page)
    if any(pt.is_string(spot.field.type) and not spot.nested for spot in spots):
        says = "an empty text in a column is said to be an error of the load"
        yield _warning("*", says, "try a partition with empty texts first", copy)


def _bigquery(spots: list[Spot]) -> Iterator[Finding]:
    parquet = "BigQuery, Loading Parquet data from Cloud Storage: "
    for spot in _doubled(spots):
        says = "differs from another name beside it in case only, which is refused"
        yield _error(spot.path, says, RENAME, f"{parquet}Column name conversions")
    for spot in spots:
        yield from _bigquery_name(spot, f"{parquet}Column name conversions")
        yield from _bigquery_value(spot, f"{parquet}Type conversions")
        if is_list(spot.field.type):
            yield from _bigquery_list(spot)
        if pt.is_struct(spot.field.type) and spot.structs + 1 > MOST_LEVELS:
            says = f"it is more than {MOST_LEVELS} structs deep, which is refused"
            yield _error(spot.path, says, APART, "BigQuery, Quotas and limits: Table limits")


def _bigquery_name(spot: Spot, page: str) -> Iterator[Finding]:
    name = spot.field.name
    if spot.path.endswith("[]"):
        return
    if start := RESERVED.match(name):
        yield _error(spot.path, f"no name may begin with {start[0]}", RENAME, page)
    if len(name) > MOST_LETTERS:
        yield _error(spot.path, f"a name has {MOST_LETTERS} characters at most", RENAME, page)
    if not NAME.fullmatch(name):
        says = "a name has letters of ASCII, digits and _ only; others are replaced, or refused"
        yield _error(spot.path, says, RENAME, page)


def _bigquery_value(spot: Spot, page: str) -> Iterator[Finding]:
    kind = spot.field.type
    if pt.is_time(kind):
        says = "TIME is not among the types that are said to be read from Parquet"
        yield _warning(spot.path, says, f"try one partition; if it is refused, {CAST}", page)
    if pt.is_timestamp(kind) and kind.tz is None and spot.nested:
        says = "a local timestamp inside of a column is read as an instant of UTC"
        yield _error(spot.path, says, f"{APART}, where it is a column that is cast back", page)


def _bigquery_list(spot: Spot) -> Iterator[Finding]:
    page = "BigQuery, Data types: Array type"
    if is_list(spot.field.type.value_type):
        says = "a list of lists is refused: an array cannot contain another one directly"
        yield _error(spot.path, says, f"{APART}, or put it through an object in the query", page)
    if spot.field.type.value_field.nullable:
        says = "a list that is null arrives as an empty one, and one with a null in it is refused"
        yield _warning(spot.path, says, f"if the API gives such lists, {APART}", page)


def _bigquery_table(schema: pa.Schema, own: pa.Field | None, table: str) -> Iterator[Finding]:
    if own and pt.is_timestamp(own.type):
        says = "a table has 10,000 partitions at most, which hours reach after 416 days"
        do = "leave PARTITION BY out of the DDL, or make it by day"
        yield _warning(own.name, says, do, "BigQuery, Quotas and limits: Partitioned tables")
    if table.lower() in (name.lower() for name in schema.names):
        says = "has the table's name: SELECT takes it for the whole row"
        page = "BigQuery, Loading Parquet data from Cloud Storage: Column name conversions"
        yield _warning(table, says, "load into a table of another name (--into)", page)


def _doubled(spots: list[Spot]) -> Iterator[Spot]:
    seen: set[str] = set()
    for spot in spots:
        parent, dot, name = spot.path.rpartition(".")
        known = f"{parent}{dot}{name.lower()}"
        if known in seen:
            yield spot
        seen.add(known)


def _error(column: str, says: str, do: str, page: str) -> Finding:
    return Finding(Severity.ERROR, column, says, do, page)


def _warning(column: str, says: str, do: str, page: str) -> Finding:
    return Finding(Severity.WARNING, column, says, do, page)


RULES: dict[Dialect, Callable[[list[Spot]], Iterator[Finding]]] = {
    Dialect.SNOWFLAKE: _snowflake,
    Dialect.BIGQUERY: _bigquery,
    Dialect.DUCKDB: _duckdb,
}
