"""How a document is paged: by keys in batches of aliases, or along a cursor; inferred from the document."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import pyarrow as pa
from graphql import (
    FieldNode,
    GraphQLError,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    NamedTypeNode,
    NonNullTypeNode,
    OperationDefinitionNode,
    VariableDefinitionNode,
    VariableNode,
    get_named_type,
    print_ast,
    strip_ignored_characters,
)

from resources.graphql.columns import column_name, snake_case
from resources.graphql.scalars import Scalars
from resources.graphql.selection import Composite, field_type

CURSOR_ARGUMENTS = frozenset({"after", "cursor"})
SIZE_ARGUMENTS = frozenset({"first", "limit", "page_size", "size"})


@dataclass(frozen=True, slots=True)
class Keyed:
    """Lookups by key: each required variable that the root field takes is a key column.

    With `kinds` there is a column for each kind of identifier instead: the first variable takes the kind,
    the second its value, and a kind is asked where those before it led to nobody.
    """

    operation: OperationDefinitionNode
    node: FieldNode
    row_type: Composite
    keys: tuple[VariableDefinitionNode, ...]
    scalars: Scalars
    kinds: tuple[str, ...] = ()

    @property
    def rows(self) -> FieldNode:
        """The selection that is a row."""
        return self.node

    @property
    def key_fields(self) -> tuple[pa.Field, ...]:
        """Name and type of each key column: those of the variable, or the kinds of identifiers."""
        fields = tuple(
            pa.field(snake_case(k.variable.name.value), self.scalars.scalar(_type_name(k)).arrow)
            for k in self.keys
        )
        return tuple(pa.field(column_name(kind), fields[1].type) for kind in self.kinds) or fields

    def chained(self, kinds: Sequence[str]) -> "Keyed":
        """Ask by several kinds of identifiers in turn."""
        if len(self.keys) != 2 or self.key_fields[0].type != pa.string():
            raise GraphQLError(
                f"{self.node.name.value} needs two required variables to be asked by several kinds of "
                "identifiers: the kind and its value, as in (idName: $idName, idValue: $idValue)",
                self.node,
            )
        names = [column_name(kind) for kind in kinds]
        if len(set(names)) < len(names) or not all(names):
            raise GraphQLError(f"the kinds {', '.join(kinds)} would not be one column each", self.node)
        return replace(self, kinds=tuple(kinds))

    def variables(self, keys: Sequence[tuple[object, ...]]) -> dict[str, object]:
        """Give the variables of a batch document."""
        names = [key.variable.name.value for key in self.keys]
        return {
            f"{name}_{index}": value
            for index, key in enumerate(keys)
            for name, value in zip(names, key, strict=True)
        }

    def batch(self, size: int) -> str:
        """Write the document that looks up so many keys as aliases k0, k1, …; values stay in variables."""
        keys = {key.variable.name.value: print_ast(key.type) for key in self.keys}
        own = [f"${name}_{i}: {type_}" for i in range(size) for name, type_ in keys.items()]
        shared = [print_ast(v) for v in self.operation.variable_definitions if v not in self.keys]
        selection = (
            strip_ignored_characters(print_ast(self.node.selection_set)) if self.node.selection_set else ""
        )
        lookups = [
            f"k{i}: {self.node.name.value}({self._arguments(i, keys)}) {selection}" for i in range(size)
        ]
        name = self.operation.name.value if self.operation.name else ""
        return f"query {name}({', '.join([*own, *shared])}) {{\n" + "\n".join(lookups) + "\n}"

    def _arguments(self, index: int, keys: Mapping[str, str]) -> str:
        texts = []
        for argument in self.node.arguments:
            value = argument.value
            if isinstance(value, VariableNode) and value.name.value in keys:
                texts.append(f"{argument.name.value}: ${value.name.value}_{index}")
            else:
                texts.append(print_ast(argument))
        return ", ".join(texts)


@dataclass(frozen=True, slots=True)
class Cursor:
    """A connection read along its cursor; the fields hold response keys and variable names."""

    operation: OperationDefinitionNode
    node: FieldNode
    row_type: Composite
    rows: FieldNode
    rows_key: str
    edge_key: str | None
    page_info: str
    has_next: str
    end_cursor: str
    after: str
    size: str | None


def infer_plan(
    operation: OperationDefinitionNode, root: FieldNode, schema: GraphQLSchema, scalars: Scalars
) -> Keyed | Cursor:
    """Choose the paging that the document's root field allows."""
    query = schema.query_type
    type_ = query.fields[root.name.value].type if query else None
    if isinstance(type_, GraphQLNonNull):
        type_ = type_.of_type
    if not isinstance(type_, Composite):
        raise GraphQLError(
            f"{root.name.value} is {type_}: only lookups of one object and cursor connections are supported",
            root,
        )
    if isinstance(type_, GraphQLObjectType) and (
        _member(root, "page_info") or "pageInfo" in type_.fields or "page_info" in type_.fields
    ):
        return _cursor(operation, root, type_)
    return _keyed(operation, root, type_, scalars)


def _keyed(operation: OperationDefinitionNode, root: FieldNode, type_: Composite, scalars: Scalars) -> Keyed:
    used = {a.value.name.value for a in root.arguments if isinstance(a.value, VariableNode)}
    keys = tuple(
        v
        for v in operation.variable_definitions
        if v.variable.name.value in used
        and isinstance(v.type, NonNullTypeNode)
        and v.default_value is None
        and isinstance(v.type.type, NamedTypeNode)
    )
    if not keys:
        raise GraphQLError(
            f"{root.name.value} takes no required variable, so there is no key to look up; "
            "write its argument as a variable, as in query q($umid: String!)",
            root,
        )
    return Keyed(operation, root, type_, keys, scalars)


def _cursor(operation: OperationDefinitionNode, root: FieldNode, type_: GraphQLObjectType) -> Cursor:
    page_info = _required(root, "page_info")
    edges = _member(root, "edges")
    rows = _required(edges, "node") if edges else _required(root, "nodes")
    holder = _row_type(type_, edges) if edges else type_
    return Cursor(
        operation=operation,
        node=root,
        row_type=_row_type(holder, rows),
        rows=rows,
        rows_key=_key(edges or rows),
        edge_key=_key(rows) if edges else None,
        page_info=_key(page_info),
        has_next=_key(_required(page_info, "has_next_page")),
        end_cursor=_key(_required(page_info, "end_cursor")),
        after=_bound(root, CURSOR_ARGUMENTS) or _no_cursor(root),
        size=_bound(root, SIZE_ARGUMENTS),
    )


def _no_cursor(root: FieldNode) -> str:
    raise GraphQLError(f"{root.name.value} needs a variable for its cursor, as in (after: $after)", root)


def _bound(root: FieldNode, arguments: frozenset[str]) -> str | None:
    """Name the variable that is bound to one of these arguments."""
    for argument in root.arguments:
        if snake_case(argument.name.value) in arguments and isinstance(argument.value, VariableNode):
            return argument.value.name.value
    return None


def _member(field: FieldNode, name: str) -> FieldNode | None:
    selections = field.selection_set.selections if field.selection_set else ()
    for selection in selections:
        if isinstance(selection, FieldNode) and snake_case(selection.name.value) == name:
            return selection
    return None


def _required(field: FieldNode, name: str) -> FieldNode:
    found = _member(field, name)
    if found is None:
        raise GraphQLError(
            f"a cursor list needs {name} in the selection of {field.name.value}: "
            "edges { node { … } } or nodes { … }, and pageInfo { hasNextPage endCursor }",
            field,
        )
    return found


def _row_type(parent: Composite, field: FieldNode) -> Composite:
    type_ = get_named_type(field_type(parent, field))
    if not isinstance(type_, Composite):
        raise GraphQLError(f"{field.name.value} is {type_}, not a list of objects", field)
    return type_


def _key(field: FieldNode) -> str:
    return field.alias.value if field.alias else field.name.value


def _type_name(key: VariableDefinitionNode) -> str:
    return print_ast(key.type).rstrip("!")
