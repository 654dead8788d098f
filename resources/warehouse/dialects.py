"""SQL dialects, as sqlglot names them: of databases by the scheme of their URI, and of warehouses that load
files by themselves.
"""

from enum import StrEnum

from resources.errors import ConfigurationError

DIALECTS = {"duckdb": "duckdb", "postgresql": "postgres", "postgres": "postgres", "snowflake": "snowflake"}


class Dialect(StrEnum):
    """A warehouse that loads files by itself."""

    SNOWFLAKE = "snowflake"
    BIGQUERY = "bigquery"
    DUCKDB = "duckdb"


def dialect_of(uri: str) -> str:
    """Name the dialect of a warehouse; raise ConfigurationError for a scheme that is none of them."""
    scheme = uri.partition(":")[0].lower()
    if scheme not in DIALECTS:
        raise ConfigurationError(
            f"TARGETDATA_WAREHOUSE begins with none of {', '.join(DIALECTS)}, and is no path of a DuckDB file"
        )
    return DIALECTS[scheme]
