"""What is asked of the loopback server, with which schema, and in pages of how many rows."""

from pathlib import Path

HERE = Path(__file__).resolve().parent
SCHEMA = HERE / "schema.graphql"
BY_CURSOR = HERE / "documents" / "by_cursor.graphql"
BY_OFFSET = HERE / "documents" / "by_offset.graphql"
BY_UMID = HERE.parent.parent / "pipelines" / "defs" / "profiles" / "profiles.graphql"  # the shipped query
PAGE_ROWS = 500  # for all alike; our own default
