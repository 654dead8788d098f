"""Where a table has people's identifiers: in a list of that name, or in its own columns."""

import pyarrow as pa

from pipelines.environment import environment
from resources.graphql.tables import FETCHED_AT
from resources.lake.erasing.people import Entries
from resources.privacy.entry_fields import entry_fields, parse_fields

LIST = "identifiers"


def identifiers_of(table: str, schema: pa.Schema) -> Entries | None:
    """Tell where a table has identifiers; None where it has none, or its fields cannot be told."""
    if table.endswith(f"__{LIST}"):
        entry = pa.struct([field for field in schema if field.name != FETCHED_AT.name])
        fields = _entry_fields(pa.schema([(LIST, pa.list_(entry))]))
        return Entries(None, *fields) if fields else None
    fields = _entry_fields(schema)
    return Entries(LIST, *fields) if fields else None


def _entry_fields(schema: pa.Schema) -> tuple[str, str] | None:
    found = entry_fields(LIST, schema, parse_fields(environment().wide_fields), otherwise="")
    return None if isinstance(found, str) else (found.name, found.value)
