"""Places: the object types being learned, and the names still to be tried inside each."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from graphql import (
    DocumentNode,
    FieldNode,
    GraphQLField,
    GraphQLObjectType,
    GraphQLSchema,
    OperationDefinitionNode,
    VariableNode,
    Visitor,
    get_named_type,
    print_ast,
    visit,
)

from resources.graphql.schema.pulling.prober import Chain
from resources.graphql.schema.pulling.vocabulary import CONTAINERS, LIKELIEST, unique, vocabulary


@dataclass(frozen=True, slots=True)
class LearnedField:
    """A field with its type and the types of its arguments, as SDL writes them."""

    name: str
    type: str
    arguments: dict[str, str]

    def __str__(self) -> str:
        """Write it as SDL does."""
        arguments = ", ".join(f"{name}: {type_}" for name, type_ in self.arguments.items())
        return f"{self.name}{f'({arguments})' if arguments else ''}: {self.type}"


@dataclass(slots=True)
class Place:
    """One object type: how to get there, what it is in the known schema, what was found and what to try."""

    name: str
    chain: Chain
    known: tuple[GraphQLObjectType, ...]
    waiting: list[str]
    asked: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # arguments in documents
    fields: dict[str, LearnedField] = field(default_factory=dict)
    tried: set[str] = field(default_factory=set)

    @property
    def familiar(self) -> bool:
        """Whether it is much as in the known schema, so that other types are more urgent."""
        known = {name for type_ in self.known for name in type_.fields}
        return known <= self.tried and 2 * len(known & set(self.fields)) > len(known)

    def known_field(self, name: str) -> GraphQLField | None:
        """Give what the known schema says of a field here."""
        return next((type_.fields[name] for type_ in self.known if name in type_.fields), None)

    def known_arguments(self, name: str) -> dict[str, str]:
        """Give the arguments that documents give a field here, or the known schema."""
        found = self.known_field(name)
        of_schema = {a: str(argument.type) for a, argument in found.args.items()} if found else {}
        return {**self.asked.get(name, {}), **of_schema}

    def likely_object(self, name: str) -> bool:
        """Tell whether a field, if it is there, is probably no leaf."""
        return name in CONTAINERS or self.known_field(name) is not None

    def take(self, most: int) -> list[str]:
        """Take the next names to try."""
        taken, self.waiting = self.waiting[:most], self.waiting[most:]
        self.tried.update(taken)
        return taken

    def suggest(self, names: Iterable[str]) -> None:
        """Put names in front of those that wait."""
        fresh = [name for name in unique(names) if name not in self.tried]
        self.waiting = list(unique([*fresh, *self.waiting]))


class Candidates:
    """The names to try, from the known schema, the documents and the vocabulary."""

    def __init__(self, known: GraphQLSchema, documents: Sequence[DocumentNode]) -> None:
        self._known = known
        self._root = known.query_type
        self._asked = _asked(documents)
        self._asked_of_root = _roots(documents)
        self._asked_arguments = _arguments(documents)
        objects = [type_ for type_ in known.type_map.values() if isinstance(type_, GraphQLObjectType)]
        self._objects = [t for t in objects if t is not self._root and not t.name.startswith("__")]

    def root(self) -> Place:
        """Give the place of the query type; nothing is tried there but names of root fields."""
        known = (self._root,) if self._root else ()
        names = [*(self._root.fields if self._root else ()), *self._asked_of_root]
        return Place("Query", (), known, list(unique(names)), self._asked_arguments)

    def inside(self, name: str, chain: Chain, known: GraphQLField | None) -> Place:
        """Give the place of an object type below the root."""
        types = [get_named_type(known.type)] if known else []
        own = [t for t in [*types, self._known.get_type(name)] if isinstance(t, GraphQLObjectType)]
        first = [field for type_ in own for field in type_.fields]
        others = [field for type_ in self._objects for field in type_.fields]
        likely, unlikely = vocabulary()[:LIKELIEST], vocabulary()[LIKELIEST:]
        names = unique([*first, *likely, *self._asked, *others, *unlikely])
        return Place(name, chain, tuple(own), list(names))


def _roots(documents: Sequence[DocumentNode]) -> list[str]:
    operations = [d for doc in documents for d in doc.definitions if isinstance(d, OperationDefinitionNode)]
    selections = [s for operation in operations for s in operation.selection_set.selections]
    return [s.name.value for s in selections if isinstance(s, FieldNode)]


def _arguments(documents: Sequence[DocumentNode]) -> dict[str, dict[str, str]]:
    """Give the arguments of root fields that are variables, with the types that documents declare."""
    found: dict[str, dict[str, str]] = {}
    for operation in (
        d for doc in documents for d in doc.definitions if isinstance(d, OperationDefinitionNode)
    ):
        types = {v.variable.name.value: print_ast(v.type) for v in operation.variable_definitions}
        for root in (s for s in operation.selection_set.selections if isinstance(s, FieldNode)):
            bound = {a.name.value: a.value for a in root.arguments}
            found.setdefault(root.name.value, {}).update(
                {name: types[v.name.value] for name, v in bound.items() if isinstance(v, VariableNode)}
            )
    return found


def _asked(documents: Sequence[DocumentNode]) -> list[str]:
    """Give the names of the fields below the root that documents ask for."""
    found: list[str] = []

    class Names(Visitor):
        def enter_field(self, node: FieldNode, *_: object) -> None:
            found.append(node.name.value)

    for document in documents:
        visit(document, Names())
    roots = set(_roots(documents))
    return [name for name in found if name not in roots and not name.startswith("__")]
