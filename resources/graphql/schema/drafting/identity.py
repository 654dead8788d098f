"""The field that tells the rows of a type apart."""

from graphql import GraphQLField, GraphQLObjectType, GraphQLSchema, get_named_type

from resources.graphql.columns import snake_case
from resources.graphql.schema.drafting.selecting import MOST_TYPES
from resources.graphql.schema.leaves import fields_of
from resources.graphql.selection import Composite, is_list

NAMES = ("id", "_id", "uuid", "guid")
TYPES = frozenset({"ID", "String", "Int", "Long", "BigInt", "UUID", "uuid"})


def default_identity(row: Composite, schema: GraphQLSchema) -> str | None:
    """Choose an id, or the first field where it is named so; None where nothing is sure."""
    fields = common_fields(row, schema)
    names = list(fields)
    usual = [n for wanted in (*NAMES, f"{snake_case(row.name)}_id") for n in names if snake_case(n) == wanted]
    first = [name for name in names[:1] if snake_case(name).endswith("_id")]
    return next((name for name in [*usual, *first] if _may_identify(fields[name])), None)


def common_fields(row: Composite, schema: GraphQLSchema) -> dict[str, GraphQLField]:
    """Give the fields of a type, and those that all the types have that it may be."""
    possible = [] if isinstance(row, GraphQLObjectType) else list(schema.get_possible_types(row))
    if not possible or len(possible) > MOST_TYPES:
        return fields_of(row)
    shared = {
        name: found
        for name, found in possible[0].fields.items()
        if all(name in other.fields and str(other.fields[name].type) == str(found.type) for other in possible)
    }
    return fields_of(row) | {name: found for name, found in shared.items() if name not in fields_of(row)}


def _may_identify(found: GraphQLField) -> bool:
    typed = get_named_type(found.type).name in TYPES and not is_list(found.type)
    return typed and not found.args and found.deprecation_reason is None
