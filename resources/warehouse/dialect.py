"""Warehouses that load files by themselves."""

from enum import StrEnum


class Dialect(StrEnum):
    """A warehouse, under sqlglot's name for its SQL."""

    SNOWFLAKE = "snowflake"
    BIGQUERY = "bigquery"
    DUCKDB = "duckdb"
