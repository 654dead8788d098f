"""The fields that an extract can begin at, found by name."""

import difflib
from collections.abc import Collection, Iterator, Sequence

from graphql import GraphQLField, GraphQLSchema, get_named_type

from resources.errors import QueryError
from resources.graphql.schema.drafting.roots import Root, describe
from resources.graphql.schema.leaves import fields_of
from resources.graphql.selection import is_list

SHOWN = 30  # fields in an error


def find_root(
    schema: GraphQLSchema,
    path: str,
    *,
    rows: str | None = None,
    given: Collection[str] = (),
    keys: Collection[str] = (),
) -> Root:
    """Find a field by its name, or `viewer.posts` for one that is inside objects.

    `rows` chooses among several lists. Of the arguments, those `given` have a value and so are no keys, and
    `keys` are keys although the field can do without. Raises QueryError with near names.
    """
    names = tuple(path.split("."))
    fields = tuple(_walk(schema, names))
    return describe(names, fields, rows=rows, given=given, keys=keys)


def all_roots(schema: GraphQLSchema) -> Iterator[tuple[str, GraphQLField, str]]:
    """Give each root field's name, itself, and how it is read or why it cannot be."""
    for name, field in _roots(schema).items():
        try:
            yield name, field, describe((name,), (field,)).says
        except QueryError as error:
            yield name, field, str(error)


def _walk(schema: GraphQLSchema, names: Sequence[str]) -> Iterator[GraphQLField]:
    fields = _roots(schema)
    for level, name in enumerate(names):
        if name not in fields:
            raise QueryError(_unknown(name, fields, root=level == 0))
        field = fields[name]
        yield field
        if level < len(names) - 1 and is_list(field.type):
            raise QueryError(f"{name} is a list: extract it, what is inside comes with its rows")
        fields = fields_of(get_named_type(field.type))


def _roots(schema: GraphQLSchema) -> dict[str, GraphQLField]:
    if schema.query_type is None:
        raise QueryError("the schema has no Query type")
    return fields_of(schema.query_type)


def _unknown(name: str, fields: Collection[str], *, root: bool) -> str:
    near = difflib.get_close_matches(name, fields, n=3)
    meant = f"; did you mean {' or '.join(near)}?" if near else ""
    names = list(fields)[:SHOWN]
    more = f" and {len(fields) - SHOWN} more (targetdata new --roots)" if len(fields) > SHOWN else ""
    there = f"There are: {', '.join(names)}{more}" if fields else "It is inside something that has no fields"
    return f"there is no {'root field' if root else 'field'} {name}{meant or '.'} {there}"
