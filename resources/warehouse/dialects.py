"""SQL dialects by the scheme of a database's URI, as sqlglot names them."""

from resources.errors import ConfigurationError

DIALECTS = {"duckdb": "duckdb", "postgresql": "postgres", "postgres": "postgres", "snowflake": "snowflake"}


def dialect_of(uri: str) -> str:
    """Name the dialect of a warehouse; raise ConfigurationError for a scheme that is none of them."""
    scheme = uri.partition(":")[0].lower()
    if scheme not in DIALECTS:
        raise ConfigurationError(
            f"TARGETDATA_WAREHOUSE begins with none of {', '.join(DIALECTS)}, and is no path of a DuckDB file"
        )
    return DIALECTS[scheme]
