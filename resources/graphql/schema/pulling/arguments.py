"""The arguments of a field, learned by declaring a variable for each.

A variable fits only where its type does, so the server itself corrects a wrong guess: "used in position
expecting type '[String!]!'".
"""

from collections.abc import Iterable, Mapping

from graphql import GraphQLSchema

from resources.graphql.schema.pulling import wording
from resources.graphql.schema.pulling.literals import named, passed, required, variable
from resources.graphql.schema.pulling.prober import Chain, Probe, Prober

MOST_CORRECTIONS = 6
WRONG_ON_PURPOSE = "Boolean!"  # the type to begin with where a server does not say the right one
GUESSES = ("String!", "ID!", "[String!]!", "[ID!]!", "Int!", "Long!")


class Arguments:
    """Learns the arguments of one field after the other."""

    def __init__(self, prober: Prober, known: GraphQLSchema) -> None:
        self._prober = prober
        self._known = known

    def learn(self, chain: Chain, name: str, wanted: Mapping[str, str]) -> dict[str, str] | None:
        """Give the types of the arguments that a field takes; None where no form of it is accepted.

        `wanted` are the arguments to begin with. Those that the server asks for are added, those that it
        does not know are left out.
        """
        kept = dict(wanted)
        messages = self._messages(chain, name, kept)
        for _ in range(MOST_CORRECTIONS):
            changed = _corrected(kept, messages)
            if not messages or changed == kept:
                break
            kept = changed
            messages = self._messages(chain, name, kept)
        return kept if not messages else self._tried(chain, name, kept)

    def _messages(self, chain: Chain, name: str, arguments: Mapping[str, str]) -> tuple[str, ...]:
        """Give what the server has against a field with arguments, as a leaf or else as an object."""
        refused = self._refused(chain, name, arguments, nested=True)
        if not refused:
            return ()
        as_leaf = self._refused(chain, name, arguments, nested=False)
        return (*refused, *as_leaf) if as_leaf else ()

    def _refused(
        self, chain: Chain, name: str, arguments: Mapping[str, str], *, nested: bool
    ) -> tuple[str, ...]:
        probe = Probe(
            name,
            nested=nested,
            arguments=f"({', '.join(f'{a}: ${a}' for a in arguments)})" if arguments else "",
            variables=", ".join(variable(a, type_, self._known) for a, type_ in arguments.items()),
        )
        return self._prober.refused_alone(chain, probe)

    def _tried(self, chain: Chain, name: str, kept: dict[str, str]) -> dict[str, str] | None:
        """Without words: guess what is required, then add what is not, one by one."""
        needed = {a: type_ for a, type_ in kept.items() if required(type_)}
        guesses = (dict.fromkeys(needed, guess) for guess in GUESSES)
        forms: Iterable[dict[str, str]] = [needed, *guesses] if needed else [needed]
        found = next((form for form in forms if not self._messages(chain, name, form)), None)
        if found is None:
            return self._with_literals(chain, name, needed)
        for a, type_ in kept.items():
            if not required(type_) and not self._messages(chain, name, {**found, a: type_}):
                found[a] = type_
        return found

    def _with_literals(self, chain: Chain, name: str, needed: dict[str, str]) -> dict[str, str] | None:
        """Some servers refuse a variable with a default where null is not allowed."""
        arguments = passed(needed, self._known)
        forms = [Probe(name, nested=nested, arguments=arguments) for nested in (True, False)]
        if not arguments or all(self._prober.refused_alone(chain, form) for form in forms):
            return None
        return needed


def _corrected(arguments: Mapping[str, str], messages: tuple[str, ...]) -> dict[str, str]:
    unknown = {a or b for m in messages for a, b in wording.UNKNOWN_ARGUMENT.findall(m)}
    types = {name for m in messages for name in wording.UNKNOWN_TYPE.findall(m)}
    kept = {a: t for a, t in arguments.items() if a not in unknown and named(t) not in types}
    for name, type_ in wording.needed_arguments(messages).items():
        kept.setdefault(name, type_ or WRONG_ON_PURPOSE)
    expected = wording.expected_types(messages)
    if len(kept) == len(expected) == 1:  # old graphql-java does not name the variable
        return dict(zip(kept, expected.values(), strict=True))
    return {a: expected.get(a, type_) for a, type_ in kept.items()}
