"""Whether rows, or pages, are the same: by what tells rows apart, else by their values."""

from collections.abc import Sequence

from resources.graphql.decoding.values import ENCODER
from resources.graphql.gaps import TYPENAME
from resources.graphql.paging.stretch import Row


class Likeness:
    """Compares by the response name `id`, where it is given and the rows have it."""

    def __init__(self, id: str | None) -> None:
        self._id = id

    def key(self, row: Row) -> object:
        """Give what rows that are the same share."""
        value = row.get(self._id) if self._id else None
        return ENCODER.encode(dict(row)) if value is None else (row.get(TYPENAME), str(value))

    def has_id(self, row: Row) -> bool:
        """Say whether a row says which one it is."""
        return bool(self._id) and row.get(self._id or "") is not None

    def same(self, one: Sequence[Row], other: Sequence[Row]) -> bool | None:
        """Say whether pages are the same; None where that is not clear, as a part of them is.

        Values that change with every answer, such as a signed address, do not make a page another one.
        """
        if one == other:
            return True
        if not all(map(self.has_id, (*one, *other))):
            return None if stable(one, other) else False
        keys, others = [self.key(row) for row in one], [self.key(row) for row in other]
        if keys == others and len(keys) > 1:
            return True
        return None if set(keys) & set(others) else False

    def alike(self, one: Sequence[Row], other: Sequence[Row]) -> bool:
        """Say whether pages have the same ids or, without ids, the same values in a column that varies."""
        if all(map(self.has_id, (*one, *other))):
            return [self.key(row) for row in one] == [self.key(row) for row in other]
        return len(one) > 1 and stable(one, other)


def stable(one: Sequence[Row], other: Sequence[Row]) -> bool:
    """Say whether pages without ids have a column in common, other than one that is constant."""
    return len(one) == len(other) and any(_is_common(name, one, other) for name in (one[0] if one else ()))


def _is_common(name: str, one: Sequence[Row], other: Sequence[Row]) -> bool:
    """Go row by row, as a row is decoded when it is looked at, and the first one tells pages apart mostly."""
    if (first := one[0].get(name)) is None:
        return False
    varies = len(one) == 1
    for row, like in zip(one, other, strict=True):
        value = row.get(name)
        if value != like.get(name):
            return False
        varies = varies or value != first
    return varies
