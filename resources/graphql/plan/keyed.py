"""Lookups by key, in batches of aliases."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import pyarrow as pa
from graphql import (
    FieldNode,
    GraphQLError,
    NamedTypeNode,
    NonNullTypeNode,
    OperationDefinitionNode,
    VariableDefinitionNode,
    VariableNode,
    print_ast,
    strip_ignored_characters,
)

from resources.graphql.columns import Column, column_name, snake_case
from resources.graphql.scalars import Scalars
from resources.graphql.selection import Composite
from resources.graphql.shape import Shape


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
    def own(self) -> frozenset[str]:
        """The variables that are filled from the keys."""
        return frozenset(key.variable.name.value for key in self.keys)

    def columns(self, shape: Shape) -> tuple[Column, ...]:
        """Derive the columns of a row."""
        return shape.columns(self.node, self.row_type)

    @property
    def key_fields(self) -> tuple[pa.Field, ...]:
        """Name and type of each key column: those of the variable, or the kinds of identifiers."""
        fields = tuple(
            pa.field(snake_case(key.variable.name.value), self.scalars.of_variable(key).arrow)
            for key in self.keys
        )
        return tuple(pa.field(column_name(kind), fields[1].type) for kind in self.kinds) or fields

    @property
    def key_names(self) -> list[str]:
        """The names of the key columns."""
        return [field.name for field in self.key_fields]

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


def key_variables(
    operation: OperationDefinitionNode, root: FieldNode, others: Collection[str] = ()
) -> tuple[VariableDefinitionNode, ...]:
    """Give the variables that are keys: required, of one value, and arguments of the root field."""
    used = {a.value.name.value for a in root.arguments if isinstance(a.value, VariableNode)} - set(others)
    return tuple(
        v
        for v in operation.variable_definitions
        if v.variable.name.value in used
        and isinstance(v.type, NonNullTypeNode)
        and v.default_value is None
        and isinstance(v.type.type, NamedTypeNode)
    )
