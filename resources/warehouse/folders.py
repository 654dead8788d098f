"""A partition's folder in the lake, and the column that stands for it in the warehouse."""

from datetime import UTC, date, datetime
from urllib.parse import quote, unquote

from sqlglot import exp

TYPES = {"date": "DATE", "hour": "TIMESTAMPTZ", "partition": "TEXT"}  # by the column's name


def folder_of(column: str, value: object) -> str:
    """Name the folder of a partition by the value in its column."""
    if isinstance(value, datetime):
        return f"{column}={value.astimezone(UTC):%Y%m%dT%HZ}"
    return f"{column}={value.isoformat() if isinstance(value, date) else quote(str(value), safe='')}"


def rows_of(folder: str) -> exp.Condition:
    """Write the condition that a row is of the partition in a folder."""
    column, _, text = folder.partition("=")
    if column == "hour":
        text = datetime.strptime(text, "%Y%m%dT%HZ").replace(tzinfo=UTC).isoformat()
    value = exp.Literal.string(unquote(text) if column == "partition" else text)
    return exp.column(column, quoted=True).eq(exp.cast(value, TYPES[column]))
