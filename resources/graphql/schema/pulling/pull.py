"""Pulling a schema: introspection, or learning where that is refused."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    IntrospectionQuery,
    build_client_schema,
    build_schema,
    get_introspection_query,
    parse,
    print_schema,
)

from resources.errors import QueryError
from resources.graphql.schema.pulling.complaints import complaints
from resources.graphql.schema.pulling.learning import Learner
from resources.graphql.schema.pulling.prober import Ask
from resources.graphql.schema.pulling.writing import write

HEADER = "# Pulled from the server by introspection.\n\n"
FEW_WRAPPERS = 4  # [[T!]!]! is the deepest that real schemas have, but for one mark


@dataclass(frozen=True, slots=True)
class PulledSchema:
    """A server's schema, its text to keep, whether it was learned, and what is uncertain then."""

    schema: GraphQLSchema
    sdl: str
    learned: bool
    notes: tuple[str, ...]


def pull_schema(
    ask: Ask, *, known: GraphQLSchema | None, documents: Sequence[str], report: Callable[[str], None]
) -> PulledSchema:
    """Pull a server's schema by introspection, or learn it from what the server refuses.

    `known` and `documents` say what to look for when learning; lookups are then made with dummy ids only.
    Raises QueryError where the server has none of the root fields that are looked for.
    """
    pulled = introspect(ask, report)
    if pulled is not None:
        return pulled
    if known is None and not documents:
        raise QueryError(
            "the server refuses introspection, and there is nothing to learn its schema from: write a "
            ".graphql document that asks for a root field of it, name its folder with --queries, pull again"
        )
    known = known or build_schema("type Query")
    report("introspection is refused: learning the schema from validation errors")
    learner = Learner(ask, known, _parsed(documents), report)
    learner.learn()
    sdl, notes = write(learner.places, learner.notes, known)
    return _whole(sdl, "", learned=True, notes=tuple(notes))


def introspect(ask: Ask, report: Callable[[str], None]) -> PulledSchema | None:
    """Pull a server's schema by introspection, in one request or two; give None where that is refused."""
    schema = _introspected(ask, report)
    return _whole(print_schema(schema), HEADER, learned=False, notes=()) if schema else None


def _introspected(ask: Ask, report: Callable[[str], None]) -> GraphQLSchema | None:
    """Try the usual query, then a plainer and shallower one."""
    plain = get_introspection_query(descriptions=False, type_depth=FEW_WRAPPERS)
    said: list[str] = []
    for document in (get_introspection_query(), plain):
        answer = ask(document)
        data = answer.get("data")
        if isinstance(data, Mapping) and isinstance(data.get("__schema"), Mapping):
            try:
                return build_client_schema(cast(IntrospectionQuery, data))
            except (GraphQLError, TypeError, KeyError) as error:
                report(f"the answer to introspection cannot be used: {error}")
        elif found := complaints(answer):
            said.append(found[0].message)
    for message in dict.fromkeys(said):
        report(f"the server says to introspection: {message}")
    return None


def _parsed(documents: Sequence[str]) -> list[DocumentNode]:
    return [parse(text) for text in documents]


def _whole(body: str, header: str, *, learned: bool, notes: tuple[str, ...]) -> PulledSchema:
    sdl = f"{header}{body.rstrip()}\n"
    try:
        schema = build_schema(sdl)
    except (GraphQLError, TypeError) as error:
        raise QueryError(f"the schema that was pulled does not hold together: {error}") from error
    return PulledSchema(schema, sdl, learned, notes)
