"""A query: one document, checked against a schema, and the plan that follows from both."""

import hashlib
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pyarrow as pa
from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    Source,
    build_schema,
    parse,
    print_ast,
    validate,
)

from resources.errors import QueryError
from resources.graphql.columns import TIMESTAMP, Column
from resources.graphql.plan import Cursor, Keyed, infer_plan
from resources.graphql.rooted import at_root
from resources.graphql.scalars import Scalars, unknown_scalars
from resources.graphql.selection import Selections
from resources.graphql.shape import Shape

FETCHED_AT = pa.field("fetched_at", TIMESTAMP)
LOOKUPS = "__lookups"
ANSWERED_BY = "answered_by"

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What to ask and the tables that come of it.

    `name` is the extract's name: the file's stem, the asset, the folder in the lake. `identity` is the
    response name of the field that tells rows apart: with it a keyed extract has one row per identity,
    without it one row per key. `tables` maps table names to Arrow schemas.
    """

    name: str
    document: DocumentNode
    plan: Keyed | Cursor
    columns: tuple[Column, ...]
    identity: str | None
    tables: Mapping[str, pa.Schema]

    @classmethod
    def load(
        cls,
        path: str | Path,
        *,
        schema: str | Path,
        name: str | None = None,
        root: str | None = None,
        identity: str | None = None,
        kinds: Sequence[str] = (),
        scalars: Mapping[str, str] | None = None,
    ) -> "Query":
        """Read a `.graphql` document and the schema (SDL) it is written for.

        With `root` its selection is asked at another root field, under another `name`, so that two tables
        have the same columns.

        `kinds` of identifiers, such as `("umid", "customer-id")`, are asked in turn until one is found: the
        document's first key variable takes the kind, its second the value, and each kind is a key column.

        `scalars` says what values of a scalar are kept as, where the name does not tell: see docs/types.md.
        Raises QueryError with path, line and column where they do not fit each other.
        """
        text = _read(path)
        return cls.parse(
            text,
            schema=load_schema(schema),
            path=str(path),
            name=name or Path(path).stem,
            root=root,
            identity=identity,
            kinds=kinds,
            scalars=scalars,
        )

    @classmethod
    def parse(
        cls,
        text: str,
        *,
        schema: GraphQLSchema,
        path: str,
        name: str,
        root: str | None = None,
        identity: str | None = None,
        kinds: Sequence[str] = (),
        scalars: Mapping[str, str] | None = None,
    ) -> "Query":
        """Build a query from text; `path` stands in errors."""
        source = Source(text, path)
        kept = Scalars(schema, scalars)
        try:
            document = at_root(parse(source), root, schema) if root else parse(source)
            _raise_first(validate(schema, document))
            operation = _only_operation(document)
            field = Selections(schema, document).only_root(operation)
            plan = infer_plan(operation, field, schema, kept)
            plan = _chained(plan, kinds) if kinds else plan
            columns = Shape(schema, kept).columns(plan.rows, plan.row_type)
            tables = _tables(name, plan, columns, identity)
        except GraphQLError as error:
            raise QueryError(located(error)) from error
        for scalar in sorted(unknown_scalars(columns)):
            _say_once(scalar)
        return cls(
            name=name,
            document=document,
            plan=plan,
            columns=columns,
            identity=identity,
            tables=tables,
        )

    @property
    def hash(self) -> str:
        """A digest of the document, whatever its white space."""
        return hashlib.sha256(print_ast(self.document).encode()).hexdigest()[:16]


@cache
def _say_once(scalar: str) -> None:
    log.warning(
        "nothing is known of the scalar %s: its values are kept as text; scalars (TARGETDATA_SCALARS) may "
        "say what it is",
        scalar,
    )


def load_schema(path: str | Path) -> GraphQLSchema:
    """Read a schema in SDL."""
    try:
        return build_schema(Source(_read(path), str(path)))
    except (GraphQLError, TypeError) as error:
        message = located(error) if isinstance(error, GraphQLError) else f"{path}: {error}"
        raise QueryError(message) from error


def located(error: GraphQLError) -> str:
    """Write an error as path:line:column: message."""
    source, locations = error.source, error.locations
    if not source or not locations:
        return error.message
    return f"{source.name}:{locations[0].line}:{locations[0].column}: {error.message}"


def _read(path: str | Path) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise QueryError(f"{path} cannot be read: {error.strerror}") from error


def _raise_first(errors: list[GraphQLError]) -> None:
    if errors:
        raise errors[0]


def _only_operation(document: DocumentNode) -> OperationDefinitionNode:
    operations = [d for d in document.definitions if isinstance(d, OperationDefinitionNode)]
    if len(operations) != 1:
        raise GraphQLError("one operation a document is expected", operations[1:])
    if operations[0].operation is not OperationType.QUERY:
        raise GraphQLError("a query is expected, not a mutation or subscription", operations[0])
    return operations[0]


def _chained(plan: Keyed | Cursor, kinds: Sequence[str]) -> Keyed:
    if not isinstance(plan, Keyed):
        raise GraphQLError("a list is not asked by kinds of identifiers", plan.node)
    return plan.chained(kinds)


def _tables(
    name: str, plan: Keyed | Cursor, columns: tuple[Column, ...], identity: str | None
) -> dict[str, pa.Schema]:
    """Derive the schemas of the extract's table and, for a keyed one, of its lookups."""
    _check_identity(plan, columns, identity)
    keys = plan.key_fields if isinstance(plan, Keyed) else ()
    shown = () if identity else keys
    fields = [*shown, *(column.field for column in columns), FETCHED_AT]
    _check_clash(plan, [field.name for field in fields])
    tables = {name: pa.schema(fields)}
    if isinstance(plan, Keyed):
        tables[name + LOOKUPS] = lookup_schema(keys, plan.kinds)
    return tables


def lookup_schema(keys: tuple[pa.Field, ...], kinds: Sequence[str] = ()) -> pa.Schema:
    """One row per key asked; status is found, not_found or failed; answered_by is one of the kinds."""
    answered_by = [ANSWERED_BY] if kinds else []
    own = [(n, pa.string()) for n in ("status", "identity", *answered_by, "code", "message")]
    return pa.schema([*keys, *own, ("attempts", pa.int64()), FETCHED_AT])


def _check_identity(plan: Keyed | Cursor, columns: tuple[Column, ...], identity: str | None) -> None:
    if identity is None:
        return
    column = next((c for c in columns if c.key == identity), None)
    if column is None or column.type.arrow not in (pa.string(), pa.int64()):
        raise GraphQLError(f"identity {identity!r} is no selected text or number", plan.node)


def _check_clash(plan: Keyed | Cursor, names: list[str]) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise GraphQLError(
            f"two columns would be named {', '.join(twice)}; give one of them an alias", plan.node
        )
