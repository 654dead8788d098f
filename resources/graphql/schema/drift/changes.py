"""Changes between two schemas: sorted as graphql-core does, with the places that they are about."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from graphql import (
    BreakingChange,
    BreakingChangeType,
    DangerousChange,
    DangerousChangeType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    find_breaking_changes,
    find_dangerous_changes,
    is_required_argument,
)
from graphql.utilities.find_breaking_changes import is_change_safe_for_input_object_field_or_field_arg


class Kind(StrEnum):
    """What a change may do to a query."""

    BREAKING = "breaking"
    DANGEROUS = "dangerous"
    SAFE = "safe"


@dataclass(frozen=True, slots=True)
class Change:
    """One change in words; `used_by` names the documents that use any of its `subjects`."""

    kind: Kind
    place: str
    text: str
    subjects: tuple[str, ...] = ()
    used_by: tuple[str, ...] = ()


FIELD = r"(?P<type>\w+)\.(?P<field>\w+)"
GIVEN, IS_USED = "{type}.{field}({name}:)", ("{type}.{field}",)
_B, _D = BreakingChangeType, DangerousChangeType

# graphql-core says only in words what a change is about. Of each kind: the pattern of its words, its place,
# and what a query must use to be concerned, where that is not the place itself.
FORMS: Mapping[BreakingChangeType | DangerousChangeType, tuple[str, str, tuple[str, ...]]] = {
    _B.TYPE_REMOVED: (r"(?P<type>\w+) was removed", "{type}", ()),
    _B.TYPE_CHANGED_KIND: (r"(?P<type>\w+) changed from", "{type}", ()),
    _B.TYPE_REMOVED_FROM_UNION: (r"(?P<name>\w+) was removed from union type (?P<type>\w+)", "{type}", ()),
    _B.VALUE_REMOVED_FROM_ENUM: (
        r"(?P<name>\w+) was removed from enum type (?P<type>\w+)",
        "{type}.{name}",
        ("{type}",),
    ),
    _B.REQUIRED_INPUT_FIELD_ADDED: (
        r"A required field (?P<field>\w+) on input type (?P<type>\w+)",
        "{type}.{field}",
        ("{type}",),
    ),
    _B.IMPLEMENTED_INTERFACE_REMOVED: (
        r"(?P<name>\w+) no longer implements interface (?P<type>\w+)",
        "{name}",
        ("{type}",),
    ),
    _B.FIELD_REMOVED: (FIELD, "{type}.{field}", ()),
    _B.FIELD_CHANGED_KIND: (FIELD, "{type}.{field}", ()),
    _B.REQUIRED_ARG_ADDED: (rf"A required arg (?P<name>\w+) on {FIELD}", GIVEN, IS_USED),
    _B.ARG_REMOVED: (rf"{FIELD} arg (?P<name>\w+)", GIVEN, ()),
    _B.ARG_CHANGED_KIND: (rf"{FIELD} arg (?P<name>\w+)", GIVEN, ()),
    _B.DIRECTIVE_REMOVED: (r"(?P<name>\w+) was removed", "@{name}", ()),
    _B.DIRECTIVE_ARG_REMOVED: (
        r"(?P<field>\w+) was removed from (?P<name>\w+)",
        "@{name}({field}:)",
        ("@{name}",),
    ),
    _B.REQUIRED_DIRECTIVE_ARG_ADDED: (
        r"A required arg (?P<field>\w+) on directive (?P<name>\w+)",
        "@{name}({field}:)",
        ("@{name}",),
    ),
    _B.DIRECTIVE_LOCATION_REMOVED: (r"\w+ was removed from (?P<name>\w+)", "@{name}", ()),
    _D.VALUE_ADDED_TO_ENUM: (
        r"(?P<name>\w+) was added to enum type (?P<type>\w+)",
        "{type}.{name}",
        ("{type}",),
    ),
    _D.TYPE_ADDED_TO_UNION: (r"(?P<name>\w+) was added to union type (?P<type>\w+)", "{type}", ()),
    _D.OPTIONAL_INPUT_FIELD_ADDED: (
        r"An optional field (?P<field>\w+) on input type (?P<type>\w+)",
        "{type}.{field}",
        ("{type}",),
    ),
    _D.OPTIONAL_ARG_ADDED: (rf"An optional arg (?P<name>\w+) on {FIELD}", GIVEN, IS_USED),
    _D.IMPLEMENTED_INTERFACE_ADDED: (
        r"(?P<type>\w+) added to interfaces implemented by (?P<name>\w+)",
        "{name}",
        ("{type}",),
    ),
    _D.ARG_DEFAULT_VALUE_CHANGE: (rf"{FIELD} arg (?P<name>\w+)", GIVEN, IS_USED),
}
NO_CHANGE = (
    "Standard scalar ",  # it is gone with the last field that has it, which is named by itself
    "Repeatable flag ",  # introspection as it is asked for does not tell
)
OPPOSITES = (
    (r"was removed from", "was added to"),
    (r"was removed\.", "was added."),
    (r"from (\S+) to (\S+)\.$", r"from \2 to \1."),
)


def compare(old: GraphQLSchema, new: GraphQLSchema) -> list[Change]:
    """Give the changes: the breaking ones, the dangerous, and the safe ones; descriptions are none."""
    named = [
        *_breaking(Kind.BREAKING, old, new),
        *_changes(Kind.DANGEROUS, find_dangerous_changes(old, new), new),
    ]
    places = {change.place for change in named}
    return [*named, *(change for change in _safe(old, new) if change.place not in places)]


def _safe(old: GraphQLSchema, new: GraphQLSchema) -> Iterator[Change]:
    """Give what graphql-core does not name: what would be lost on the way back."""
    back = _breaking(Kind.SAFE, new, old)
    for change in (*back, *_changes(Kind.SAFE, find_dangerous_changes(new, old), old)):
        text = change.text
        for pattern, opposite in OPPOSITES:
            text = re.sub(pattern, opposite, text)
        yield Change(Kind.SAFE, change.place, text, change.subjects)


def _breaking(kind: Kind, old: GraphQLSchema, new: GraphQLSchema) -> Iterator[Change]:
    yield from _changes(kind, find_breaking_changes(old, new), new)
    yield from _directive_arguments(kind, old, new)


def _directive_arguments(kind: Kind, old: GraphQLSchema, new: GraphQLSchema) -> Iterator[Change]:
    """Compare the types of directives' arguments, which graphql-core does not."""
    directives = {directive.name: directive for directive in new.directives}
    for before in old.directives:
        after = directives.get(before.name, before)
        for name in before.args.keys() & after.args.keys():
            was, is_ = before.args[name], after.args[name]
            if not is_change_safe_for_input_object_field_or_field_arg(was.type, is_.type):
                place = f"@{before.name}({name}:)"
                text = f"@{before.name} arg {name} has changed type from {was.type} to {is_.type}."
                subject = f"@{before.name}" if is_required_argument(is_) else place
                yield Change(kind, place, text, (subject,))


def _changes(
    kind: Kind, found: Iterable[BreakingChange | DangerousChange], new: GraphQLSchema
) -> Iterator[Change]:
    for change in found:
        if not change.description.startswith(NO_CHANGE):
            pattern, place, subjects = FORMS[change.type]
            match = re.match(pattern, change.description)
            if match is None:  # in other words than those of the versions known: let a person look
                yield Change(kind, change.description, change.description)
                continue
            if change.type is _B.ARG_CHANGED_KIND and _is_required(new, **match.groupdict()):
                subjects = IS_USED  # who does not pass it fails too
            at, *concerned = (form.format(**match.groupdict()) for form in (place, *subjects))
            yield Change(kind, at, change.description, tuple(concerned) or (at,))


def _is_required(schema: GraphQLSchema, *, type: str, field: str, name: str) -> bool:
    owner = schema.get_type(type)
    if not isinstance(owner, GraphQLObjectType | GraphQLInterfaceType):
        return False
    return is_required_argument(owner.fields[field].args[name])
