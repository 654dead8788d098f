"""Random GraphQL: schemas, documents over them, and values that graphql-core answers them with."""

import datetime as dt
import json
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from random import Random
from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLList,
    GraphQLNonNull,
    OperationDefinitionNode,
    SelectionSetNode,
    build_schema,
    execute_sync,
    get_named_type,
    is_abstract_type,
    is_composite_type,
    is_leaf_type,
    parse,
)

OBJECTS, INTERFACES, UNIONS = ("O0", "O1", "O2", "O3"), ("I0", "I1"), ("U0", "U1")
LEAF_FORMS = ("{}", "{}!", "[{}]", "[{}!]!", "[[{}]]", "[[{}!]!]")
OBJECT_FORMS = ("{}", "[{}]", "[{}!]!", "[[{}]]")
SCALARS = {"Money": "decimal(18,2)"}  # what a user has to say
DEPTH = 3

Leaf = Callable[[Any, str], Any]


class World:
    """A random schema, a document over it, and values of its row type."""

    def __init__(self, random: Random, rows: int = 3) -> None:
        self.random = random
        self.sdl = _sdl(random)
        self.schema = build_schema(self.sdl)
        assert self.schema.query_type
        self.schema.query_type.fields["row"].resolve = lambda *_, key: self.values[int(key)]
        self._row_type = get_named_type(self.schema.query_type.fields["row"].type)
        self._fragments: list[str] = []
        body = self._selection(self._row_type, self._possible(self._row_type), DEPTH, top=True)
        self.document = f"query q($key: ID!) {{ row(key: $key) {{ {body} }} }} {' '.join(self._fragments)}"
        self.values = [self._object(self._row_type, DEPTH) for _ in range(rows)]

    @property
    def keys(self) -> list[str]:
        return [str(key) for key in range(len(self.values))]

    def answer(self, text: str, variables: dict[str, Any]) -> dict[str, Any]:
        """Execute a document for real."""
        result = execute_sync(self.schema, parse(text), variable_values=variables)
        assert not result.errors, (text, result.errors)
        return result.data or {}

    def rows(self) -> list[dict[str, Any]]:
        """The answers to the document itself, one by one."""
        return [self.answer(self.document, {"key": key})["row"] for key in self.keys]

    # What is selected of a type ------------------------------------------------------------------------

    def _possible(self, type_: Any) -> set[str]:
        types = self.schema.get_possible_types(type_) if is_abstract_type(type_) else [type_]
        return {possible.name for possible in types}

    def _selection(self, type_: Any, possible: set[str], depth: int, *, top: bool) -> str:
        """Write a selection on objects of the possible types; `top` where it is a field's own."""
        random = self.random
        chosen = [one for one in getattr(type_, "fields", {}).items() if random.random() < 0.5]
        parts = [written for one in chosen if (written := self._field(*one, depth))]
        for name in (*OBJECTS, *INTERFACES, *UNIONS):
            condition = self.schema.type_map[name]
            both = possible & self._possible(condition)
            if both and depth and random.random() < 0.2:
                parts.append(self._fragment(condition, both, depth - 1))
        random.shuffle(parts)
        if not parts or (top and (is_abstract_type(type_) or random.random() < 0.3)):
            parts.insert(random.randrange(len(parts) + 1), "__typename")
        return " ".join(parts)

    def _field(self, name: str, field: Any, depth: int) -> str:
        alias = f"{name}Again: " if self.random.random() < 0.2 else ""
        type_ = get_named_type(field.type)
        if is_leaf_type(type_):
            return f"{alias}{name}"
        if not depth:
            return ""
        return f"{alias}{name} {{ {self._selection(type_, self._possible(type_), depth - 1, top=True)} }}"

    def _fragment(self, condition: Any, possible: set[str], depth: int) -> str:
        body = self._selection(condition, possible, depth, top=False)
        if self.random.random() < 0.5:
            return f"... on {condition.name} {{ {body} }}"
        name = f"F{len(self._fragments)}"
        self._fragments.append(f"fragment {name} on {condition.name} {{ {body} }}")
        return f"...{name}"

    # What a resolver gives -----------------------------------------------------------------------------

    def _object(self, type_: Any, depth: int) -> dict[str, Any]:
        name = self.random.choice(sorted(self._possible(type_)))
        fields = self.schema.type_map[name].fields.items()  # type: ignore[attr-defined]
        return {"__typename": name} | {key: self._value(field.type, depth - 1) for key, field in fields}

    def _value(self, type_: Any, depth: int) -> Any:
        if isinstance(type_, GraphQLNonNull):
            return self._present(type_.of_type, depth)
        return None if self.random.random() < 0.2 else self._present(type_, depth)

    def _present(self, type_: Any, depth: int) -> Any:
        if isinstance(type_, GraphQLList):
            most = 0 if depth < 0 and is_composite_type(get_named_type(type_)) else 2
            return [self._value(type_.of_type, depth) for _ in range(self.random.randint(0, most))]
        if is_leaf_type(type_):
            return LEAVES[type_.name](self.random)
        return self._object(type_, depth) if depth >= 0 else None

    # The same rows, leaf by leaf -----------------------------------------------------------------------

    def mapped(self, row: dict[str, Any], leaf: Leaf, *, whole: bool) -> dict[str, Any]:
        """Copy a row with other leaves; `whole`: with null for what its type does not have, in snake case."""
        document = parse(self.document)
        fragments = {d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)}
        (operation,) = (d for d in document.definitions if isinstance(d, OperationDefinitionNode))
        (root,) = operation.selection_set.selections
        assert isinstance(root, FieldNode)

        def flat(selections: SelectionSetNode, type_: Any) -> Iterator[tuple[FieldNode, Any]]:
            for node in selections.selections:
                if isinstance(node, FieldNode):
                    name = node.name.value
                    yield (
                        node,
                        self.schema.type_map["String"] if name == "__typename" else type_.fields[name].type,
                    )
                    continue
                fragment: Any = fragments[node.name.value] if isinstance(node, FragmentSpreadNode) else node
                condition = self.schema.type_map[fragment.type_condition.name.value]
                yield from flat(fragment.selection_set, condition)

        def object_(value: dict[str, Any], nodes: Sequence[tuple[FieldNode, Any]]) -> dict[str, Any]:
            below: dict[str, list[tuple[FieldNode, Any]]] = {}
            for node, type_ in nodes:
                assert node.selection_set
                for inner in flat(node.selection_set, get_named_type(type_)):
                    alias = inner[0].alias or inner[0].name
                    below.setdefault(alias.value, []).append(inner)
            return {
                key.replace("Again", "_again") if whole else key: any_(value.get(key), found[0][1], found)
                for key, found in below.items()
                if whole or key in value
            }

        def any_(value: Any, type_: Any, nodes: Sequence[tuple[FieldNode, Any]]) -> Any:
            if isinstance(type_, GraphQLNonNull):
                return any_(value, type_.of_type, nodes)
            if value is None:
                return None
            if isinstance(type_, GraphQLList):
                return [any_(item, type_.of_type, nodes) for item in value]
            return leaf(value, type_.name) if is_leaf_type(type_) else object_(value, nodes)

        return object_(row, [(root, self._row_type)])


def _sdl(random: Random) -> str:
    """Write a schema; a field's name has the same shape in all types, so that any two may meet."""
    leaves = {f"p{i}": random.choice(LEAF_FORMS).format(random.choice(sorted(LEAVES))) for i in range(8)}
    targets = {f"c{i}": random.choice((*OBJECTS, *INTERFACES, *UNIONS)) for i in range(4)}
    forms = {name: random.choice(OBJECT_FORMS) for name in targets}

    def some() -> set[str]:
        return {random.choice(sorted(leaves)), *random.sample(sorted(leaves | targets), 3)}

    own: dict[str, set[str]] = {"I0": some(), "I1": some()}
    if deeper := random.random() < 0.5:
        own["I1"] |= own["I0"]
    blocks = ["scalar " + " scalar ".join(sorted(set(LEAVES) - BUILT_IN)), "enum Kind { GOOD BAD }"]
    implemented = {"O0": {"I0"}, "O1": {"I1"}, "O2": set(random.sample(INTERFACES, 1)), "O3": set()}
    for name, interfaces in implemented.items():
        closed = interfaces | ({"I0"} if deeper and "I1" in interfaces else set())
        own[name] = some().union(*(own[i] for i in closed))
        implemented[name] = closed
    for name, fields in own.items():
        interfaces = implemented.get(name, {"I0"} if deeper and name == "I1" else set())
        types = {**leaves, **{c: forms[c].format(_narrowed(random, name, t)) for c, t in targets.items()}}
        written = " ".join(f"{field}: {types[field]}" for field in sorted(fields))
        kind = "interface" if name in INTERFACES else "type"
        clause = f" implements {' & '.join(sorted(interfaces))}" if interfaces else ""
        blocks.append(f"{kind} {name}{clause} {{ {written} }}")
    blocks += [f"union {u} = {' | '.join(random.sample(OBJECTS, random.randint(1, 3)))}" for u in UNIONS]
    row = random.choice((*OBJECTS, *INTERFACES, *UNIONS))
    return "\n".join([*blocks, f"type Query {{ row(key: ID!): {row} }}"])


def _narrowed(random: Random, owner: str, target: str) -> str:
    """An object may promise more than its interface does."""
    if owner in OBJECTS and target in INTERFACES and random.random() < 0.3:
        return {"I0": "O0", "I1": "O1"}[target]
    return target


def _moment(random: Random) -> dt.datetime:
    return dt.datetime(1970, 1, 1) + dt.timedelta(seconds=random.randint(-(10**9), 10**10))


def _digits(random: Random) -> str:
    digits = random.randint(0, 9)
    return f".{random.randrange(10**digits):0{digits}d}" if digits else ""


def _decimal(random: Random, digits: int, places: int) -> str:
    return str(Decimal(random.randint(-(10**digits), 10**digits)).scaleb(-places))


BUILT_IN = {"Int", "Float", "String", "Boolean", "ID", "Kind"}
TEXTS = ("", "a", "Ünïcödé 🦆", '"quoted"\\n', "\u0000", "null", "12")
JSONS = ({"a": [1, None, {"b": "ü"}]}, [], "text", 7, True, {"n": 12345678901234567890123})
LEAVES: dict[str, Callable[[Random], Any]] = {
    "Int": lambda r: r.choice((0, -1, 2**31 - 1, -(2**31), r.randint(-1000, 1000))),
    "Float": lambda r: r.choice((0.0, -0.5, 1e22, 5e-324, 3.0, r.uniform(-1e6, 1e6))),
    "String": lambda r: r.choice(TEXTS),
    "Boolean": lambda r: r.random() < 0.5,
    "ID": lambda r: r.choice((*TEXTS, str(r.randint(0, 2**70)))),
    "Kind": lambda r: r.choice(("GOOD", "BAD")),
    "Long": lambda r: r.choice((2**53 + 1, 2**63 - 1, -(2**63), 5, str(2**62))),
    "Decimal": lambda r: _decimal(r, 28, r.randint(0, 9)),
    "Money": lambda r: _decimal(r, 15, 2),
    "DateTime": lambda r: f"{_moment(r).isoformat()}{_digits(r)}{r.choice(('Z', '+05:30', '-03:00'))}",
    "LocalDateTime": lambda r: f"{_moment(r).isoformat(sep=r.choice('T '))}{_digits(r)}",
    "Date": lambda r: _moment(r).date().isoformat(),
    "Time": lambda r: f"{_moment(r).time().isoformat()}{_digits(r)}",
    "UUID": lambda r: "00000000-0000-4000-8000-" + f"{r.randrange(16**12):012x}",
    "JSON": lambda r: r.choice(JSONS),
    "Strange": lambda r: r.choice(JSONS),
}


def other_form(random: Random) -> Leaf:
    """Give what else servers send for a leaf: numbers as text, text as numbers, whole floats for integers."""

    def form(value: Any, scalar: str) -> Any:
        if scalar in ("Int", "Long"):
            exact = abs(int(value)) <= 2**53
            return random.choice((int(value), str(value), *((float(value),) if exact else ())))
        if scalar == "Float":
            exact = value.is_integer() and abs(value) <= 2**53
            return random.choice((value, repr(value), *((int(value),) if exact else ())))
        if scalar == "ID" and value.isascii() and value.isdigit() and str(int(value)) == value:
            return random.choice((value, int(value)))
        return value

    return form


def as_kept(value: Any, scalar: str) -> Any:
    """Say, in Python's terms, what the table holds for a leaf of an answer."""
    match scalar:
        case "Int" | "Long":
            return int(value)
        case "Decimal" | "Money":
            return Decimal(value)
        case "DateTime" | "LocalDateTime":
            return dt.datetime.fromisoformat(_six_digits(value).replace("Z", "+00:00"))
        case "Date":
            return dt.date.fromisoformat(value)
        case "Time":
            return dt.time.fromisoformat(_six_digits(value))
        case "JSON":
            return _dumped(value)
        case "Strange":
            return value if isinstance(value, str) else _dumped(value)
        case _:
            return value


def _dumped(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _six_digits(text: str) -> str:
    """Cut a fraction off after six digits; Python before 3.11 knows three or six only."""
    head, point, tail = text.partition(".")
    if not point:
        return text
    digits = tail[: len(tail) - len(tail.lstrip("0123456789"))]
    return f"{head}.{digits[:6]:0<6}{tail[len(digits) :]}"
