"""What an object around rows says beside them, and so in no table."""

from collections.abc import Iterator

from graphql import GraphQLField, get_named_type, is_leaf_type

from resources.graphql.columns import snake_case
from resources.graphql.plan.vocabulary import MORE, NEXT_CURSOR
from resources.graphql.schema.drafting.envelope import Envelope, said_beside
from resources.graphql.schema.leaves import fields_of

OF_PAGING = frozenset({*MORE, *NEXT_CURSOR})


def left_beside(field: GraphQLField, envelope: Envelope) -> list[str]:
    """Name the leaves around the rows that a query does not select."""
    return list(_left(field, envelope))


def _left(field: GraphQLField, envelope: Envelope) -> Iterator[str]:
    holder = get_named_type(field.type)
    for level, step in enumerate(envelope.rows):
        selected = {path[level] for path in envelope.signals if path[:level] == envelope.rows[:level]}
        if holder == envelope.edge or step == "node":
            selected |= {*said_beside(holder), "cursor"}
        for name, inner in fields_of(holder).items():
            if name not in selected and snake_case(name) not in OF_PAGING and _is_leaf(inner):
                yield f"{holder.name}.{name}"
        holder = get_named_type(fields_of(holder)[step].type)


def _is_leaf(field: GraphQLField) -> bool:
    return is_leaf_type(get_named_type(field.type))
