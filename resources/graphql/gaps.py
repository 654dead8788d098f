"""The gaps that fragments leave: an object of another type lacks their fields, and has null in the table."""

from collections.abc import Mapping, Sequence

from resources.graphql.columns import Column, ColumnType, Levels, ListOf, Struct

TYPENAME = "__typename"

Row = Mapping[str, object]


def filled(rows: Sequence[Row], columns: Sequence[Column]) -> Sequence[Row]:
    """Put null where a fragment's type is not the object's own; what should be there stays missing."""
    if not any(column.varies for column in columns):
        return rows
    return [_object(row, columns, ()) for row in rows]


def _object(value: Row, columns: Sequence[Column], above: tuple[object, ...]) -> Row:
    names = (*above, value.get(TYPENAME))
    whole = dict(value)
    for column in columns:
        if column.key not in value:
            if not _expected(column.only_on, names):
                whole[column.key] = None
        elif column.varies:
            whole[column.key] = _below(value[column.key], column.type, names)
    return whole


def _below(value: object, type_: ColumnType, names: tuple[object, ...]) -> object:
    match value, type_:
        case list(), ListOf():
            return [_below(item, type_.item, names) for item in value]
        case dict(), Struct():
            return _object(value, type_.fields, names)
        case _:
            return value


def _expected(only_on: tuple[Levels, ...] | None, names: tuple[object, ...]) -> bool:
    """Say whether an object has a field; one that does not say its type is taken to have it."""
    if only_on is None:
        return True
    return any(
        all(
            types is None or not isinstance(name, str) or name in types
            for types, name in zip(levels, names, strict=True)
        )
        for levels in only_on
    )
