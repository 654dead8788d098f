"""A query: one document, checked against a schema, and the plan that follows from both."""

import hashlib
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache, lru_cache
from pathlib import Path
from typing import TypedDict, Unpack

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

from resources.errors import QueryError, ValueMisfit
from resources.graphql.child_table import ChildTable
from resources.graphql.children import apart, children_of
from resources.graphql.columns import Column, column_of
from resources.graphql.plan import Keyed, Listed, Paging, Plan, Window, chained, infer_plan
from resources.graphql.rooted import at_root
from resources.graphql.scalars import Scalars, unknown_scalars
from resources.graphql.selection import Selections
from resources.graphql.shape import Shape
from resources.graphql.tables import tables_of

log = logging.getLogger(__name__)


class Options(TypedDict, total=False):
    """What document and schema do not tell of a query.

    `identity`: the response name of the field that tells rows apart. `root`: another root field, at which
    the document's selection is asked, so that two tables have the same columns. `kinds` of identifiers, such
    as `("umid", "customer-id")`, are asked in turn until one is found: the first key variable takes the kind,
    the second its value, and each kind is a key column. `paging` says what cannot be inferred of a list;
    `window` names the two variables that bound it in time, as a `Window` also their form. `scalars` says what
    values of a scalar, or of a field (`Person.birthday`), are kept as: see docs/types.md. `explode` names
    lists that become tables of their own, as `identifiers` or `cookieConsents.purposes`, `*` for all of them:
    see docs/tables.md.
    """

    identity: str | None
    root: str | None
    kinds: Sequence[str]
    paging: Paging | None
    window: Window | tuple[str, str] | None
    scalars: Mapping[str, str] | None
    explode: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What to ask and the tables that come of it.

    `name` is the extract's name: the file's stem, the asset, the folder in the lake. `identity` is the
    response name of the field that tells rows apart: with it a keyed extract has one row per identity,
    without it one row per key. `tables` maps table names to Arrow schemas: the extract's own, its lookups,
    and the lists in `children`. `rows` is the schema of the extract's own before those are taken out of it.
    """

    name: str
    document: DocumentNode
    plan: Plan
    columns: tuple[Column, ...]
    identity: str | None
    tables: Mapping[str, pa.Schema]
    rows: pa.Schema
    children: tuple[ChildTable, ...] = ()
    window: Window | None = None

    @classmethod
    def load(
        cls, path: str | Path, *, schema: str | Path, name: str | None = None, **options: Unpack[Options]
    ) -> "Query":
        """Read a `.graphql` document and the schema (SDL) it is written for; `name` is the file's stem.

        Raises QueryError with path, line and column where they do not fit each other.
        """
        text = read_document(path)
        return cls.parse(
            text, schema=load_schema(schema), path=str(path), name=name or Path(path).stem, **options
        )

    @classmethod
    def parse(
        cls, text: str, *, schema: GraphQLSchema, path: str, name: str, **options: Unpack[Options]
    ) -> "Query":
        """Build a query from text; `path` stands in errors."""
        identity, root = options.get("identity"), options.get("root")
        paging, window = options.get("paging"), options.get("window")
        scalars = Scalars(schema, options.get("scalars"))
        try:
            source = parse(Source(text, path))
            document = at_root(source, root, schema) if root else source
            require_valid(document, schema)
            operation = _only_operation(document)
            field = Selections(schema, document).only_root(operation)
            plan, bounds = infer_plan(operation, field, schema, scalars, paging, window)
            plan = chained(plan, options.get("kinds", ()))
            columns = plan.columns(Shape(schema, scalars))
            tables = tables_of(name, plan, columns, identity)
            children = children_of(plan, columns, identity, tables, options.get("explode", ()))
        except GraphQLError as error:
            raise QueryError(located(error)) from error
        for scalar in sorted(unknown_scalars(columns)):
            _say_once(scalar)
        if isinstance(plan, Listed) and plan.unused:
            _say_unused(path, plan.unused)
        return cls(
            name=name,
            document=document,
            plan=plan,
            columns=columns,
            identity=identity,
            tables=apart(tables, children),
            rows=tables[name],
            children=children,
            window=bounds,
        )

    @property
    def key_names(self) -> list[str]:
        """The names of the key columns; a list has none."""
        return self.plan.key_names if isinstance(self.plan, Keyed) else []

    @property
    def identity_column(self) -> str | None:
        """The name of the column that tells rows apart."""
        found = column_of(self.columns, self.identity)
        return found.name if found else None

    @property
    def hash(self) -> str:
        """A digest of the document, whatever its white space, and of its tables' columns and types."""
        schemas = [f"{name}\n{schema}" for name, schema in self.tables.items()]
        return hashlib.sha256("\n".join([print_ast(self.document), *schemas]).encode()).hexdigest()[:16]

    def exploded(self, rows: pa.Table) -> dict[str, pa.Table]:
        """Share rows out among the extract's own table and those of its lists."""
        found = {self.name: rows}
        for child in self.children:  # one that is inside of another comes after it
            found[child.name] = child.rows(found[child.parent])
            self._require_identity(found[child.name])
        return {name: table.select(self.tables[name].names) for name, table in found.items()}

    def _require_identity(self, rows: pa.Table) -> None:
        if self.identity and rows.column(0).null_count:
            raise ValueMisfit(
                f"{self.name}: column {rows.column_names[0]} is null in a row that has lists, so the rows of "
                "their tables would belong to nobody: choose another identity, or leave the lists nested, "
                "without explode"
            )

    def window_variables(self, start: datetime, end: datetime) -> dict[str, object]:
        """Give the window's variables their values: from `start` on, and before `end`; both with a zone."""
        return self.window.values(start, end) if self.window else {}


@cache
def _say_unused(path: str, names: tuple[str, ...]) -> None:
    log.warning("%s: selected, but beside the rows and so in no table: %s", path, ", ".join(names))


@cache
def _say_once(scalar: str) -> None:
    log.warning(
        "nothing is known of the scalar %s: its values are kept as text; scalars (TARGETDATA_SCALARS or "
        "GRAPHQL_SCALARS) may say what it is",
        scalar,
    )


def load_schema(path: str | Path) -> GraphQLSchema:
    """Read a schema in SDL; queries of the same one share it, so do not change it."""
    return _built(read_document(path), str(path))


@lru_cache(maxsize=4)
def _built(sdl: str, path: str) -> GraphQLSchema:
    try:
        return build_schema(Source(sdl, path))
    except (GraphQLError, TypeError) as error:
        message = located(error) if isinstance(error, GraphQLError) else f"{path}: {error}"
        raise QueryError(message) from error


def located(error: GraphQLError) -> str:
    """Write an error as path:line:column: message."""
    source, locations = error.source, error.locations
    if not source or not locations:
        return error.message
    return f"{source.name}:{locations[0].line}:{locations[0].column}: {error.message}"


def read_document(path: str | Path) -> str:
    """Read the text of a document or a schema; raises QueryError where there is none."""
    try:
        return Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise QueryError(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError:
        raise QueryError(f"{path} is not UTF-8: save it so") from None


def require_valid(document: DocumentNode, schema: GraphQLSchema) -> None:
    """Raise the first thing that a schema has against a document, a GraphQLError."""
    for error in validate(schema, document):
        raise error


def _only_operation(document: DocumentNode) -> OperationDefinitionNode:
    operations = [d for d in document.definitions if isinstance(d, OperationDefinitionNode)]
    if len(operations) != 1:
        raise GraphQLError("one operation a document is expected", operations[1:])
    if operations[0].operation is not OperationType.QUERY:
        raise GraphQLError("a query is expected, not a mutation or subscription", operations[0])
    return operations[0]
