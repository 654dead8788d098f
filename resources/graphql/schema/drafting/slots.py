"""The places where a field takes values: its arguments, and the fields of its input objects."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from graphql import (
    ArgumentNode,
    EnumValueNode,
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLError,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLNonNull,
    NameNode,
    ObjectFieldNode,
    ObjectValueNode,
    StringValueNode,
    Undefined,
    ValueNode,
    ast_from_value,
    get_named_type,
    is_leaf_type,
    parse_value,
    value_from_ast,
)

from resources.errors import QueryError
from resources.graphql.columns import Scalar
from resources.graphql.plan.arguments import DEPTH, is_size, meaning
from resources.graphql.plan.place import plain
from resources.graphql.plan.vocabulary import FILTERS, Strategy
from resources.graphql.plan.window import BOUNDS, temporal
from resources.graphql.scalars import by_name
from resources.graphql.selection import is_list, nullable

CHANGES = ("changed", "updated", "modified")  # the windows that an extract wants first


@dataclass(frozen=True, slots=True)
class Slot:
    """An argument, or a field of an input object; `path` are the names to it."""

    path: tuple[str, ...]
    type: GraphQLInputType = field(compare=False)
    default: object = field(compare=False)

    @property
    def name(self) -> str:
        """Its own name."""
        return self.path[-1]

    @property
    def required(self) -> bool:
        """Whether a field cannot do without."""
        return isinstance(self.type, GraphQLNonNull) and self.default is Undefined

    @property
    def is_list(self) -> bool:
        """Whether it takes more than one value."""
        return is_list(self.type)

    @property
    def is_scalar(self) -> bool:
        """Whether it takes one value that may be a key."""
        named = get_named_type(self.type)
        return not self.is_list and is_leaf_type(named) and not isinstance(named, GraphQLEnumType)

    @property
    def is_time(self) -> bool:
        """Whether it takes a moment or a day."""
        return self.is_scalar and temporal(self._scalar) is not None

    @property
    def strategy(self) -> Strategy | None:
        """The paging that its name and type mean, where it is a position."""
        return meaning(self._names, self._scalar) if self.is_scalar else None

    @property
    def is_size(self) -> bool:
        """Whether it takes how many rows a page has."""
        return self.is_scalar and FILTERS.isdisjoint(self._names) and is_size(self._names, self._scalar)

    @property
    def _names(self) -> list[str]:
        return [plain(name) for name in self.path]

    @property
    def _scalar(self) -> Scalar:
        return by_name(get_named_type(self.type).name)

    @property
    def pages(self) -> bool:
        """Whether a field that takes it may answer with a part of its rows."""
        return self.strategy is not None or self.is_size

    @property
    def shown(self) -> str:
        """Write it with its type, and the values of an enum."""
        named = get_named_type(self.type)
        values = f": {', '.join(named.values)}" if isinstance(named, GraphQLEnumType) else ""
        return f"{'.'.join(self.path)} ({self.type}{values})"

    def value(self, text: str) -> ValueNode:
        """Read a value as it is typed; text needs no quotes. Raises QueryError where it does not fit."""
        is_enum = isinstance(get_named_type(self.type), GraphQLEnumType)
        for node in _readings(text):
            if isinstance(node, EnumValueNode) and not is_enum:
                continue
            if value_from_ast(node, self.type) is not Undefined:
                return node
        raise QueryError(f"{text!r} is no value for {self.shown}")

    @property
    def default_node(self) -> ValueNode | None:
        """Write the default that the schema gives it."""
        return None if self.default is Undefined else ast_from_value(self.default, self.type)


def _readings(text: str) -> Iterator[ValueNode]:
    with suppress(GraphQLError):
        yield parse_value(text)
    yield StringValueNode(value=text, block=False)


def slots(of: GraphQLField) -> list[Slot]:
    """Give the arguments of a field, and the fields of those that are input objects."""
    return list(_slots(of.args, (), DEPTH))


def _slots(
    of: Mapping[str, GraphQLArgument | GraphQLInputField], above: tuple[str, ...], depth: int
) -> Iterator[Slot]:
    for name, argument in of.items():
        slot = Slot((*above, name), argument.type, argument.default_value)
        yield slot
        type_ = nullable(argument.type)
        if isinstance(type_, GraphQLInputObjectType) and depth > 1:
            yield from _slots(type_.fields, slot.path, depth - 1)


def window_of(found: Sequence[Slot]) -> tuple[Slot, Slot] | None:
    """Find two times whose names differ in a bound only; those of changes before others."""
    windows = bounds([slot for slot in found if slot.is_time])
    return min(windows, key=lambda pair: _rank(plain(pair[0].name)), default=None)


def bounds(found: Sequence[Slot]) -> list[tuple[Slot, Slot]]:
    """Give all pairs that are named like the bounds of something."""
    by_name = {(slot.path[:-1], plain(slot.name)): slot for slot in found}
    pairs = []
    for slot in found:
        words = plain(slot.name).split("_")
        for low, high in BOUNDS:
            other = by_name.get((slot.path[:-1], "_".join(high if word == low else word for word in words)))
            if low in words and other is not None:
                pairs.append((slot, other))
    return pairs


def _rank(name: str) -> int:
    return next((i for i, word in enumerate(CHANGES) if word in name), len(CHANGES))


def argument_nodes(values: Mapping[tuple[str, ...], ValueNode]) -> tuple[ArgumentNode, ...]:
    """Write arguments, those inside of one input object together."""
    return tuple(ArgumentNode(name=NameNode(value=n), value=value) for n, value in _grouped(values).items())


def _grouped(values: Mapping[tuple[str, ...], ValueNode]) -> dict[str, ValueNode]:
    below: dict[str, dict[tuple[str, ...], ValueNode]] = {}
    for path, value in values.items():
        below.setdefault(path[0], {})[path[1:]] = value
    return {name: inner[()] if () in inner else _object(_grouped(inner)) for name, inner in below.items()}


def _object(fields: Mapping[str, ValueNode]) -> ObjectValueNode:
    nodes = [ObjectFieldNode(name=NameNode(value=name), value=value) for name, value in fields.items()]
    return ObjectValueNode(fields=tuple(nodes))
