"""How a field is read: by key, page by page, or at once."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

from graphql import GraphQLField, GraphQLNamedType, get_named_type, is_composite_type

from resources.errors import QueryError
from resources.graphql.columns import snake_case
from resources.graphql.plan.vocabulary import ABOUT, MORE, NEXT_CURSOR, TOTAL, TOTAL_PAGES
from resources.graphql.schema.drafting.envelope import Envelope, composite, find_envelope, ways_to_rows
from resources.graphql.schema.drafting.slots import Slot, slots, window_of
from resources.graphql.schema.leaves import fields_of
from resources.graphql.selection import is_list

Reading = Literal["lookup", "cursor", "offset", "page", "whole"]
WORDS = {
    "lookup": "a lookup by",
    "cursor": "a list by cursor",
    "offset": "a list by offset",
    "page": "a list by page number",
    "whole": "in one answer",
}
OF_PAGING = frozenset(  # fields that an object may have beside its list, and be nothing but its envelope
    {*ABOUT, *MORE, *NEXT_CURSOR, *TOTAL, *TOTAL_PAGES, "count", "page", "page_size", "limit", "offset"}
)
STRATEGIES: tuple[Reading, ...] = ("cursor", "offset", "page")


@dataclass(frozen=True, slots=True, kw_only=True)
class Root:
    """A field, the fields above it from the query type on, and how its rows are read."""

    path: tuple[str, ...]
    fields: tuple[GraphQLField, ...]
    kind: Reading
    envelope: Envelope
    keys: tuple[Slot, ...] = ()
    position: Slot | None = None
    size: Slot | None = None
    window: tuple[Slot, Slot] | None = None

    @property
    def says(self) -> str:
        """How it is read, in words."""
        keys = ", ".join(key.name for key in self.keys)
        within = f", window {' … '.join(slot.name for slot in self.window)}" if self.window else ""
        return f"{WORDS[self.kind]} {keys}".strip() + within


def describe(
    path: tuple[str, ...],
    fields: tuple[GraphQLField, ...],
    *,
    rows: str | None = None,
    given: Collection[str] = (),
    keys: Collection[str] = (),
) -> Root:
    """Say how a field is read."""
    field, type_ = fields[-1], get_named_type(fields[-1].type)
    if not is_composite_type(type_):
        raise QueryError(f"{path[-1]} is {field.type}: it has no rows")
    found = [slot for slot in slots(field) if not _begins(slot.path, given)]
    if unknown := sorted(set(keys) - {slot.name for slot in found if len(slot.path) == 1}):
        raise QueryError(f"{path[-1]} has no argument {', '.join(unknown)} that can be a key")
    paged = _paged(path, fields, found, rows)
    if paged is not None and not keys:
        return paged
    envelope = _whole(field, type_, rows)
    outer = [slot for slot in found if len(slot.path) == 1]
    required = [slot for slot in outer if slot.required or slot.name in keys]
    if required and len(path) == 1 and envelope is None:
        return _lookup(path, fields, required, keys)
    if keys:
        raise QueryError(f"{path[-1]} is a list or inside of something: it is not looked up by key")
    part = next((slot for slot in found if slot.pages), None)
    if envelope and part:
        raise QueryError(
            f"{path[-1]} takes {part.name}, and nothing to read on by: if one answer holds all rows, give it "
            f"a value as in --arg {'.'.join(part.path)}=1000"
        )
    return Root(
        path=path,
        fields=fields,
        kind="whole",
        envelope=envelope or Envelope((), composite(type_)),
        window=window_of(found) if envelope else None,
    )


def _begins(path: tuple[str, ...], given: Collection[str]) -> bool:
    """Say whether a place has a value, or something around it."""
    return any(".".join(path[: end + 1]) in given for end in range(len(path)))


def _lookup(
    path: tuple[str, ...],
    fields: tuple[GraphQLField, ...],
    required: Sequence[Slot],
    chosen: Collection[str],
) -> Root:
    """Take scalars for keys, an enum only where somebody says so; a window alone has one row."""
    window = window_of([slot for slot in required if slot.name not in chosen])
    single = [slot for slot in required if slot.is_scalar or slot.name in chosen]
    keys = tuple(slot for slot in single if slot not in (window or ()) and not slot.is_list)
    return Root(
        path=path,
        fields=fields,
        kind="lookup" if keys else "whole",
        envelope=Envelope((), composite(get_named_type(fields[-1].type))),
        keys=keys,
        window=window,
    )


def _paged(
    path: tuple[str, ...], fields: tuple[GraphQLField, ...], found: Sequence[Slot], rows: str | None
) -> Root | None:
    """Find the first strategy for which there is a position to ask for and a word to go on by."""
    field = fields[-1]
    positions = [slot for slot in found if slot.strategy]
    refused = ""
    for strategy in STRATEGIES:
        position = next((slot for slot in positions if slot.strategy == strategy), None)
        envelope = find_envelope(field, strategy, rows) if position else None
        if position is None or envelope is None:
            continue
        if refused_now := _cannot_go_on(path, strategy, position, envelope):
            refused = refused or refused_now
            continue
        beside = [slot for slot in found if slot.path[:-1] == position.path[:-1]]
        return Root(
            path=path,
            fields=fields,
            kind=strategy,
            envelope=envelope,
            position=position,
            size=next((slot for slot in beside if slot.is_size), None),
            window=window_of(found),
        )
    if refused:
        raise QueryError(refused)
    return None


def _cannot_go_on(path: Sequence[str], strategy: str, position: Slot, envelope: Envelope) -> str:
    """Say why a cursor leads to the first page only."""
    if strategy != "cursor":
        return ""
    if position.required:
        return f"{path[-1]} requires {position.name} for its first page too, which has no cursor yet"
    if not envelope.says(NEXT_CURSOR):
        return f"{path[-1]} takes {position.name}, but nothing in its answer is named like a next cursor"
    return ""


def _whole(field: GraphQLField, type_: GraphQLNamedType, rows: str | None) -> Envelope | None:
    """Look for rows inside a list, or an object that holds a list and says what there is to say of it."""
    if is_list(field.type) or rows is not None or _is_envelope(type_):
        return find_envelope(field, "whole", rows)
    return None


def _is_envelope(type_: GraphQLNamedType) -> bool:
    names = {snake_case(name) for name in fields_of(type_)}
    lists = {way[0] for way in ways_to_rows(type_, 1)}
    others = {snake_case(name) for name in fields_of(type_) if name not in lists}
    return bool(lists) and ("page_info" in names or (len(lists) == 1 and others <= OF_PAGING))
