"""The warehouse's tables of the lake's, in DuckDB's SQL: compared with in speed, and in each value."""

from pathlib import Path

FOLDER = "date=2026-11-22"
DAY = "DATE '2026-11-22'"
DUCKDB_FILE = "warehouse.duckdb"
FLAT, NESTED = "flat", "by_cursor"
CONSENTS, PURPOSES = "cookie_consents", "purposes"
LISTS = ("identifiers", "attributes", "permissions", "notifications", "used_apps")


def file_of(lake: Path, table: str) -> Path:
    """Find the partition's file."""
    return lake / table / FOLDER / "part-00000.parquet"


def queries(lake: Path, table: str) -> dict[str, str]:
    """Give a query for each table of the warehouse."""
    rows = f"read_parquet('{file_of(lake, table)}', hive_partitioning = false)"
    if table == FLAT:
        return {FLAT: f"SELECT {DAY} AS date, * FROM {rows}"}
    lists = ", ".join([*LISTS, CONSENTS])
    consents = _elements(CONSENTS, "profile_id", rows)
    purposes = _elements(PURPOSES, "profile_id, cookie_consents_position", f"({_consents(consents)})")
    return {
        table: f"SELECT {DAY} AS date, * EXCLUDE ({lists}) FROM {rows}",
        **{f"{table}__{name}": _shown(_elements(name, "profile_id", rows)) for name in LISTS},
        f"{table}__{CONSENTS}": f"SELECT * EXCLUDE ({PURPOSES}) FROM ({_shown(consents)})",
        f"{table}__{CONSENTS}__{PURPOSES}": _shown(purposes, "cookie_consents_position, "),
    }


def _elements(name: str, keys: str, rows: str) -> str:
    numbered = f"unnest({name}) AS element, generate_subscripts({name}, 1) - 1 AS position"
    return f"SELECT {keys}, fetched_at, {numbered} FROM {rows}"


def _consents(elements: str) -> str:
    of = "position AS cookie_consents_position, element.purposes AS purposes"
    return f"SELECT profile_id, fetched_at, {of} FROM ({elements})"


def _shown(elements: str, keys: str = "") -> str:
    return f"SELECT {DAY} AS date, profile_id, {keys}position, unnest(element), fetched_at FROM ({elements})"
