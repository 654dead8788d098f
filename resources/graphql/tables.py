"""The tables that a query gives: their Arrow schemas, derived from plan and columns."""

from collections.abc import Sequence

import pyarrow as pa
from graphql import GraphQLError

from resources.graphql.columns import TIMESTAMP, Column, column_of, repeated
from resources.graphql.plan import Keyed, Plan

FETCHED_AT = pa.field("fetched_at", TIMESTAMP)
LOOKUPS = "__lookups"
ANSWERED_BY = "answered_by"


def tables_of(
    name: str, plan: Plan, columns: tuple[Column, ...], identity: str | None
) -> dict[str, pa.Schema]:
    """Derive the schemas of the extract's table and, for a keyed one, of its lookups."""
    _check_identity(plan, columns, identity)
    keys = plan.key_fields if isinstance(plan, Keyed) else ()
    shown = () if identity else keys
    fields = [*shown, *(column.field for column in columns), FETCHED_AT]
    _check_clash(plan, [field.name for field in fields])
    tables = {name: pa.schema(fields)}
    if isinstance(plan, Keyed):
        tables[name + LOOKUPS] = lookup_schema(keys, plan.kinds)
    return tables


def lookup_schema(keys: tuple[pa.Field, ...], kinds: Sequence[str] = ()) -> pa.Schema:
    """One row per key asked, its status one of four: found, filtered (left out by choice), not_found, failed.

    `answered_by` is one of the kinds.
    """
    answered_by = [ANSWERED_BY] if kinds else []
    own = [(n, pa.string()) for n in ("status", "identity", *answered_by, "code", "message")]
    return pa.schema([*keys, *own, ("attempts", pa.int64()), FETCHED_AT])


def _check_identity(plan: Plan, columns: tuple[Column, ...], identity: str | None) -> None:
    if identity is None:
        return
    column = column_of(columns, identity)
    if column is None or column.type.arrow not in (pa.string(), pa.int64()):
        raise GraphQLError(f"identity {identity!r} is no selected text or number", plan.node)


def _check_clash(plan: Plan, names: list[str]) -> None:
    if twice := repeated(names):
        raise GraphQLError(
            f"two columns would be named {', '.join(sorted(twice))}; give one of them an alias", plan.node
        )
