"""Which lists of an extract are tables of their own, and the columns of these."""

from collections.abc import Collection, Iterator, Mapping, Sequence

import pyarrow as pa
import pyarrow.types as pt
from graphql import FieldNode, GraphQLError

from resources.graphql.child_table import POSITION, VALUE, ChildTable, Path
from resources.graphql.columns import Column, column_of, repeated, snake_case
from resources.graphql.plan import Keyed, Plan
from resources.graphql.tables import FETCHED_AT

EVERY = "*"  # in place of names: all lists, those inside of lists too


def children_of(
    plan: Plan,
    columns: Sequence[Column],
    identity: str | None,
    tables: Mapping[str, pa.Schema],
    explode: Sequence[str],
) -> tuple[ChildTable, ...]:
    """Plan the tables of lists; their rows name the parent's by its identity, else by its key."""
    lists = [explode] if isinstance(explode, str) else explode
    if not lists:
        return ()
    if own := column_of(columns, identity):
        keys = [own.name]
    elif isinstance(plan, Keyed):
        keys = plan.key_names
    else:
        raise GraphQLError(
            "explode: without an identity the rows of a list's table could not say which row they are of: "
            "name the field that tells rows apart, as identity= or --identity",
            plan.node,
        )
    return child_tables(tables, keys, lists, node=plan.node)


def child_tables(
    tables: Mapping[str, pa.Schema],
    keys: Collection[str],
    lists: Collection[str],
    *,
    node: FieldNode | None = None,
) -> tuple[ChildTable, ...]:
    """Plan a table for each of some lists of the first of these tables, whose rows the columns `keys` name.

    A list is named as in the query or in the table, one inside of another list's objects as
    `cookieConsents.purposes`; `*` stands for all of both. Raises GraphQLError at `node`.
    """
    name, schema = next(iter(tables.items()))
    there = list(_below(name, (), schema, {key: key for key in keys}, [schema.field(key) for key in keys]))
    paths = {child.path for child in there}
    wanted = {text: tuple(map(snake_case, text.split("."))) for text in lists if text != EVERY}
    odd = [text for text, path in wanted.items() if path not in paths]
    if odd or (lists and not there):
        shown = ", ".join(".".join(child.path) for child in there) or "none"
        raise GraphQLError(
            f"explode: {', '.join(odd or lists)} is no list that can be a table of its own; those of {name} "
            f"are: {shown}",
            node,
        )
    children = tuple(child for child in there if EVERY in lists or child.path in wanted.values())
    if problem := _problem(tables, children):
        raise GraphQLError(f"explode: {problem}", node)
    return children


def _below(
    name: str, path: Path, schema: pa.Schema, keys: Mapping[str, str], of_keys: Sequence[pa.Field]
) -> Iterator[ChildTable]:
    """Plan a table for each list, and for those of its elements."""
    for field in schema:
        if not pt.is_list(field.type):
            continue
        item = field.type.value_type
        fields = list(item) if pt.is_struct(item) else [pa.field(VALUE, item)]
        child = ChildTable(
            name=f"{name}__{field.name}",
            parent=name,
            path=(*path, field.name),
            keys=keys,
            schema=pa.schema([*of_keys, pa.field(POSITION, pa.int64()), *fields, FETCHED_AT]),
        )
        yield child
        above = "_".join((*child.path, POSITION))
        of_child = {key: key for key in keys} | {above: POSITION}
        yield from _below(
            child.name, child.path, child.schema, of_child, [*of_keys, pa.field(above, pa.int64())]
        )


def _problem(tables: Collection[str], children: Sequence[ChildTable]) -> str | None:
    """Say what keeps these tables from being made beside the others."""
    names = [*tables, *(child.name for child in children)]
    if twice := repeated(names):
        return f"two tables would be named {twice[0]}; give the list an alias"
    paths = {(), *(child.path for child in children)}
    for child in children:
        path, outer = ".".join(child.path), ".".join(child.path[:-1])
        if child.path[:-1] not in paths:
            return f"{path} is inside of {outer}: name {outer} too"
        if twice := repeated(child.schema.names):
            return f"{child.name} would have two columns named {twice[0]}; give one of them an alias"
    return None


def apart(tables: Mapping[str, pa.Schema], children: Sequence[ChildTable]) -> dict[str, pa.Schema]:
    """Give the schemas of all tables, the lists that have one of their own left out of the others."""
    nested = {**tables, **{child.name: child.schema for child in children}}
    lists = {(child.parent, child.path[-1]) for child in children}
    return {
        name: pa.schema([field for field in schema if (name, field.name) not in lists])
        for name, schema in nested.items()
    }
