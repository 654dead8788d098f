"""Drift: how a server's schema differs from the one that is kept, and which documents use what changed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from graphql import DocumentNode, GraphQLSchema, build_schema

from resources.graphql.schema.drift.changes import Change, Kind, compare
from resources.graphql.schema.drift.misfits import misfits
from resources.graphql.schema.drift.refusals import AskWith, refusals
from resources.graphql.schema.drift.usage import Usage
from resources.graphql.schema.pulling.pull import introspect

NOT_SEEN = (
    "the server does not allow introspection: only what the queries use was checked, by what the server "
    "refuses of them; the types of values are checked by the answers of each run"
)


@dataclass(frozen=True, slots=True)
class Drift:
    """The changes, those that documents use first, and what could not be seen; `introspected`: all could."""

    changes: tuple[Change, ...]
    notes: tuple[str, ...]
    introspected: bool

    def of(self, *kinds: Kind, used: bool | None = None) -> tuple[Change, ...]:
        """Give the changes of some kinds, those that are used or not."""
        return tuple(
            change for change in self.changes if change.kind in kinds and used in (None, bool(change.used_by))
        )


def find_drift(
    ask: AskWith,
    known: GraphQLSchema,
    documents: Mapping[str, DocumentNode],
    *,
    report: Callable[[str], None] = lambda _: None,
) -> Drift:
    """Compare a schema that is kept with the server's; `documents` fit the one that is kept.

    One request or two where the server allows introspection; each document is validated against what comes,
    too, as a comparison does not see all that makes it fail. Else one more for each document, which asks for
    nobody. What the server, or its schema, has against a document is a breaking change.
    """
    live = introspect(lambda text: ask(text, {}), report)
    if live is not None:
        uses = {name: Usage.of(document, known) for name, document in documents.items()}
        found = [_with_users(change, uses) for change in compare(known, live.schema)]
        # A server need not keep all the rules that graphql-core has for schemas.
        lenient = build_schema(live.sdl, assume_valid=True)
        return Drift(_sorted([*found, *misfits(lenient, uses, found)]), (), introspected=True)
    notes, changes = [NOT_SEEN], []
    for name, document in documents.items():
        refused, open_ = refusals(ask, name, document, known)
        changes += refused
        notes += open_
    return Drift(_sorted(changes), tuple(notes), introspected=False)


def _with_users(change: Change, uses: Mapping[str, Usage]) -> Change:
    concerned = set(change.subjects)
    users = [name for name, usage in uses.items() if not concerned or usage.places & concerned]
    return replace(change, used_by=tuple(users))


def _sorted(changes: list[Change]) -> tuple[Change, ...]:
    kinds = list(Kind)
    return tuple(sorted(changes, key=lambda c: (kinds.index(c.kind), not c.used_by, c.place)))
