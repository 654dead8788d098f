"""Where the texts of a query are: in a nested column, or in the table of a list."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.types as pt

from resources.errors import ConfigurationError
from resources.graphql.child_table import VALUE
from resources.graphql.columns import snake_case
from resources.graphql.query import Query

Path = tuple[str, ...]
SAYS = "pseudonymise (TARGETDATA_PSEUDONYMISE, --pseudonymise)"


@dataclass(frozen=True, slots=True)
class TextPlace:
    """The texts that `path` leads to in one of a query's tables; `name` is what they are called by."""

    name: str
    table: str
    path: Path


def text_places(query: Query, names: Sequence[str]) -> tuple[TextPlace, ...]:
    """Find texts by their names, as in the query or in the table: `identifiers.value`, `owner`.

    Raises ConfigurationError for what is no text, and for what people are asked again, joined or erased by.
    """
    leaves = dict(_leaves(query.rows, ()))
    paths = dict.fromkeys(tuple(map(snake_case, name.strip().split("."))) for name in names)
    for path in paths:
        _require_text(query, ".".join(path), leaves.get(path), leaves)
    return tuple(_placed(query, path) for path in paths)


def _leaves(fields: Iterable[pa.Field], above: Path) -> Iterator[tuple[Path, pa.DataType]]:
    for field in fields:
        inner = field.type
        while pt.is_list(inner):
            inner = inner.value_type
        path = (*above, field.name)
        if pt.is_struct(inner):
            yield from _leaves(inner, path)
        else:
            yield path, inner


def _require_text(
    query: Query, name: str, type_: pa.DataType | None, leaves: dict[Path, pa.DataType]
) -> None:
    if name in _keys(query):
        raise ConfigurationError(
            f"{SAYS}: {name} is a key or the identity of {query.name}: by it people are asked again, their "
            "tables are joined and their rows erased, so it stays as it is"
        )
    if type_ is None:
        texts = [".".join(path) for path, leaf in leaves.items() if leaf == pa.string()]
        shown = ", ".join(text for text in texts if text not in _keys(query))
        raise ConfigurationError(f"{SAYS}: {query.name} has no {name}; its texts are: {shown}")
    if type_ != pa.string():
        raise ConfigurationError(f"{SAYS}: {name} of {query.name} is {type_}; pseudonyms are of texts only")


def _keys(query: Query) -> set[str]:
    own = [query.identity_column] if query.identity_column else []
    return {*own, *query.key_names}


def _placed(query: Query, path: Path) -> TextPlace:
    """Follow a path into the tables of lists, as far as there are any."""
    table, rest, fields = query.name, path, {field.name: field.type for field in query.rows}
    while child := next((c for c in query.children if c.parent == table and c.path[-1] == rest[0]), None):
        item = fields[rest[0]].value_type
        is_object = pt.is_struct(item)
        table, rest = child.name, rest[1:] if is_object else (VALUE, *rest[1:])
        fields = {field.name: field.type for field in item} if is_object else {VALUE: item}
    return TextPlace(".".join(path), table, rest)
