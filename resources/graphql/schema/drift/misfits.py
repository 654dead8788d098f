"""What a server's schema has against documents, and no change of the comparison accounts for."""

from collections.abc import Iterator, Mapping, Sequence

from graphql import (
    GraphQLError,
    GraphQLSchema,
    UniqueDirectivesPerLocationRule,
    parse,
    specified_rules,
    validate,
)

from resources.graphql.schema.drift.changes import Change, Kind
from resources.graphql.schema.drift.usage import Usage

# Introspection as it is asked for does not tell which directives are repeatable.
RULES = [rule for rule in specified_rules if rule is not UniqueDirectivesPerLocationRule]


def misfits(live: GraphQLSchema, uses: Mapping[str, Usage], changes: Sequence[Change]) -> list[Change]:
    """Validate each document against a schema; give what it says that no breaking change accounts for."""
    users: dict[tuple[str, str], list[str]] = {}
    for name, usage in uses.items():
        own = [change for change in changes if change.kind is Kind.BREAKING and name in change.used_by]
        for found in dict.fromkeys(_unaccounted(live, name, usage, own)):
            users.setdefault(found, []).append(name)
    return [Change(Kind.BREAKING, *found, used_by=tuple(names)) for found, names in users.items()]


def _unaccounted(
    live: GraphQLSchema, name: str, usage: Usage, own: Sequence[Change]
) -> Iterator[tuple[str, str]]:
    known = {place for change in own for place in (change.place, *change.subjects)}
    for error in validate(live, parse(usage.text), RULES, max_errors=None):
        around = _around(error, usage)
        if known.isdisjoint(around):
            place = around[0] if around else name
            yield place, f"{place} does not fit the server's schema: {error.message.rstrip('.')}."


def _around(error: GraphQLError, usage: Usage) -> list[str]:
    """Give the places where an error is; of a variable, those where it is used come before its own."""
    lines = [location.line for location in reversed(error.locations or [])]
    return [place for line in lines for place in usage.lines.get(line, [])]
