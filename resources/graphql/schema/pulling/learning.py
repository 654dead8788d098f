"""Learning a schema from what a server refuses.

A field is asked for twice: plain and with `{ __typename }` under it. A leaf is refused in the second form, an
object in the first; in both forms what is not there, and what needs arguments, which messages tell apart.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence

from graphql import DocumentNode, GraphQLField, GraphQLSchema, get_named_type, is_leaf_type

from resources.errors import QueryError
from resources.graphql.schema.pulling import wording
from resources.graphql.schema.pulling.arguments import Arguments
from resources.graphql.schema.pulling.literals import named, passed
from resources.graphql.schema.pulling.place import Candidates, LearnedField, Place
from resources.graphql.schema.pulling.prober import Ask, OutOfDocuments, PlaceRefused, Probe, Prober

MOST_LEVELS = 5  # of objects inside objects
UNTYPED_LEAVES = 3  # in a row: the server's words name no types

Messages = Mapping[str, tuple[str, ...]]


class Learner:
    """Learns one type after the other, breadth first, some names of each in turn."""

    def __init__(
        self, ask: Ask, known: GraphQLSchema, documents: Sequence[DocumentNode], report: Callable[[str], None]
    ) -> None:
        self._known = known
        self._report = report
        self._prober = Prober(ask, report)
        self._arguments = Arguments(self._prober, known)
        self._candidates = Candidates(known, documents)
        self._untyped = 0
        self._assumed: dict[str, list[str]] = {}
        self.places: dict[str, Place] = {}
        self.notes: list[str] = []

    def learn(self) -> None:
        """Fill `places`, the object types by name, and `notes`."""
        root = self._candidates.root()
        self.places[root.name] = root
        tried = ", ".join(root.waiting)
        self._work(root)
        if not root.fields:
            raise QueryError(
                f"the server refuses introspection and has none of the root fields tried: {tried}; "
                f"it says: {self._prober.last_refusal}"
            )

    def _work(self, root: Place) -> None:
        turns = [root]
        try:
            while turns:
                place = turns.pop(0)
                before = set(self.places)
                self._turn(place)
                fresh = [self.places[name] for name in self.places if name not in before]
                turns += [*fresh, *([place] if place.waiting else [])]
                turns.sort(key=lambda turn: (turn.familiar, len(turn.tried)))
        except OutOfDocuments:
            self.notes.append(f"stopped after {self._prober.sent} documents: not all names were tried")
        for what, names in self._assumed.items():
            self.notes.append(
                f"the server does not tell it, so these are assumed to be {what}: {', '.join(names)}"
            )
        self._report(f"{self._prober.sent} documents sent, {len(self.places) - 1} object types found")

    def _turn(self, place: Place) -> None:
        try:
            self._learn_names(place, place.take(self._prober.size))
        except PlaceRefused as refusal:
            place.waiting.clear()
            self.notes.append(f"the server refuses to look into {place.name}: {refusal}")

    def _learn_names(self, place: Place, names: list[str]) -> None:
        hinted = {name: place.known_arguments(name) for name in names}
        arguments = {name: self._with_hints(place, name, hints) for name, hints in hinted.items() if hints}
        demanding = self._classify(place, {name: arguments.get(name, {}) for name in names})
        for name in demanding:
            learned = self._arguments.learn(place.chain, name, {})
            if learned is None or self._classify(place, {name: learned}):
                self.notes.append(f"{place.name}.{name} is there but needs arguments; it is left out")

    def _with_hints(self, place: Place, name: str, hints: dict[str, str]) -> dict[str, str]:
        return self._arguments.learn(place.chain, name, hints) or {}

    def _classify(self, place: Place, arguments: Mapping[str, dict[str, str]]) -> list[str]:
        """Add the fields that are there; give those that need other arguments."""
        forms = {name: passed(given, self._known) for name, given in arguments.items()}
        plain = self._prober.refused(place.chain, [Probe(n, arguments=form) for n, form in forms.items()])
        again = [name for name in forms if self._worth_nesting(place, name, plain)]
        nested = self._prober.refused(
            place.chain, [Probe(name, nested=True, arguments=forms[name]) for name in again]
        )
        place.suggest(s for found in (plain, nested) for m in _all(found) for s in wording.suggestions(m))
        demanding = []
        for name in forms:
            both = (*plain.get(name, ()), *nested.get(name, ()))
            if name not in plain:
                self._add_leaf(place, name, nested.get(name, ()), arguments[name])
            elif name in again and name not in nested:
                self._add_object(place, name, plain[name], arguments[name])
            elif wording.any_says(wording.ARGUMENT_NEEDED, both):
                demanding.append(name)
        return demanding

    def _worth_nesting(self, place: Place, name: str, plain: Messages) -> bool:
        """Tell whether asking with `{ __typename }` can say more."""
        if name not in plain:
            return self._untyped < UNTYPED_LEAVES
        if wording.any_says(wording.ARGUMENT_NEEDED, plain[name]):
            return False
        if self._prober.blind and not wording.any_says(wording.SELECTION_NEEDED, plain[name]):
            return place.likely_object(name)
        return not wording.any_says(wording.ABSENT, plain[name])

    def _add_leaf(
        self, place: Place, name: str, messages: tuple[str, ...], arguments: dict[str, str]
    ) -> None:
        type_ = wording.stated_type(messages, name)
        if messages:
            self._untyped = 0 if type_ else self._untyped + 1
        if type_ is None:
            known = place.known_field(name)
            leaf = known and is_leaf_type(get_named_type(known.type))
            type_ = str(known.type) if known and leaf else "String"
            self._assume("types as in the schema known before" if leaf else "text", place, name)
        place.fields[name] = LearnedField(name, type_, arguments)

    def _add_object(
        self, place: Place, name: str, messages: tuple[str, ...], arguments: dict[str, str]
    ) -> None:
        known = place.known_field(name)
        type_ = wording.stated_type(messages, name) or self._guessed_object(place, name, known)
        place.fields[name] = LearnedField(name, type_, arguments)
        if named(type_) in self.places:
            return
        chain = (*place.chain, Probe(name, arguments=passed(arguments, self._known)))
        inside = self._candidates.inside(named(type_), chain, known)
        if len(chain) > MOST_LEVELS:
            inside.waiting.clear()
        self.places[inside.name] = inside

    def _guessed_object(self, place: Place, name: str, known: GraphQLField | None) -> str:
        if known and not is_leaf_type(get_named_type(known.type)):
            self._assume("types, and whether they are lists, as in the schema known before", place, name)
            return str(known.type)
        own = f"{'' if place.name == 'Query' else place.name}{name[0].upper()}{name[1:]}"
        type_ = f"[{own}]" if name.endswith("s") else own
        self._assume("lists where the name ends in s, with made-up names of types", place, name)
        return type_

    def _assume(self, what: str, place: Place, name: str) -> None:
        self._assumed.setdefault(what, []).append(f"{place.name}.{name}")


def _all(found: Messages) -> Iterable[str]:
    return (message for messages in found.values() for message in messages)
