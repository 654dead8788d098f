"""Rewriting a document so that it fits a schema."""

import difflib
from dataclasses import dataclass

from graphql import (
    DefinitionNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLObjectType,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    Source,
    parse,
    print_ast,
)

from resources.errors import QueryError
from resources.graphql.changed import with_changes
from resources.graphql.gaps import TYPENAME
from resources.graphql.query import located, require_valid
from resources.graphql.schema.fitting.addable import addable
from resources.graphql.schema.fitting.rewriting import Fitting
from resources.graphql.schema.fitting.variables import fit_variables


@dataclass(frozen=True, slots=True)
class Fitted:
    """A document that fits, and how it came about.

    `dropped` names what the schema lacks, with the reason where it is not simply absent; `added` what is
    selected in its stead; `addable` what the schema has besides. `diff` is empty when nothing changes.
    """

    text: str
    dropped: tuple[str, ...]
    added: tuple[str, ...]
    addable: tuple[str, ...]
    diff: str


def fit_document(text: str, schema: GraphQLSchema, *, path: str) -> Fitted:
    """Rewrite a document so that it validates against a schema; `path` stands in errors and in the diff.

    Fields, arguments and variables that the schema lacks are dropped. As a field that is gone was probably
    renamed, its object's other fields are selected instead, like for like: leaves for a lost leaf, objects
    and lists with their leaves for a lost object, both where nothing is left. Fields that need arguments are
    never added, nor is anything at the root. A leaf that became an object gets its leaves, an object that
    became a leaf loses its braces. Comments stay at the top of the file, those elsewhere are lost; but where
    nothing changes, the text stays as it is. Raises QueryError with path, line and column.
    """
    try:
        original = parse(Source(text, path))
        fitting = Fitting(schema, original)
        document, variables = fit_variables(_definitions(original, fitting, schema), schema)
        require_valid(document, schema)
    except GraphQLError as error:
        raise QueryError(located(error)) from error
    new = text if print_ast(document) == print_ast(original) else f"{_head(text)}{print_ast(document)}\n"
    return Fitted(
        text=new,
        dropped=_once([*fitting.dropped, *variables]),
        added=_once(fitting.added),
        addable=addable(document, schema),
        diff=_diff(text, new, path),
    )


def _definitions(original: DocumentNode, fitting: Fitting, schema: GraphQLSchema) -> DocumentNode:
    """Fit operations first: they say where fragments are used."""
    fitted = {
        id(d): _operation(d, fitting, schema)
        for d in original.definitions
        if isinstance(d, OperationDefinitionNode)
    }
    kept: list[DefinitionNode] = []
    for node in original.definitions:
        if isinstance(node, FragmentDefinitionNode):
            kept += [fitting.fragments[node.name.value]] if node.name.value in fitting.fragments else []
        else:
            kept.append(fitted.get(id(node), node))
    return with_changes(original, definitions=tuple(kept))


def _operation(
    node: OperationDefinitionNode, fitting: Fitting, schema: GraphQLSchema
) -> OperationDefinitionNode:
    root = schema.query_type
    if node.operation is not OperationType.QUERY or root is None:
        raise GraphQLError("a query is expected, and a schema that has queries", node)
    _check_roots(node, root)
    selections = fitting.root(node.selection_set, root)
    if not selections.selections:
        raise GraphQLError(f"nothing is left to select: {'; '.join(fitting.dropped)}", node)
    return with_changes(node, selection_set=selections)


def _check_roots(node: OperationDefinitionNode, root: GraphQLObjectType) -> None:
    for field in node.selection_set.selections:
        if isinstance(field, FieldNode) and field.name.value not in (*root.fields, TYPENAME):
            there = ", ".join(root.fields)
            raise GraphQLError(f"there is no root field {field.name.value}; there are {there}", field)


def _head(text: str) -> str:
    """Give the comments and blank lines at the top."""
    lines = text.splitlines(keepends=True)
    first = next((i for i, line in enumerate(lines) if not line.lstrip().startswith("#") and line.strip()), 0)
    return "".join(lines[:first])


def _diff(old: str, new: str, path: str) -> str:
    lines = difflib.unified_diff(old.splitlines(), new.splitlines(), path, path, lineterm="")
    return "".join(f"{line}\n" for line in lines)


def _once(items: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(items))
