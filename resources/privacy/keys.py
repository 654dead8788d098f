"""Keys of people who were erased: nobody asks for them."""

from collections.abc import Sequence
from functools import reduce

import pyarrow as pa
import pyarrow.compute as pc

from resources.graphql.plan import Keyed
from resources.privacy.suppression import Suppression


def suppressed_keys(suppression: Suppression, keys: pa.Table, plan: Keyed) -> pa.ChunkedArray | pa.Array:
    """Say of each row of key columns whether an identifier in it is on the list.

    Where the two columns of a key are a kind of identifier and its value, that kind counts.
    """
    names = plan.key_names
    marks = [suppression.holds(name, keys[name]) for name in names]
    if len(names) == 2 and not plan.kinds:
        marks.append(suppression.holds_each(keys[names[0]], keys[names[1]]))
    return reduce(pc.or_, marks)


def without_suppressed(suppression: Suppression, keys: pa.Table, plan: Keyed) -> pa.Table:
    """Leave the rows of people who are on the list out of key columns."""
    if not len(suppression):
        return keys
    return keys.filter(pc.invert(suppressed_keys(suppression, keys, plan)))


def left_to_ask(suppression: Suppression, keys: pa.Table, *, kinds: Sequence[str]) -> pa.Table:
    """Leave rows out of a table in which any of the columns `kinds` names somebody who is on the list."""
    if not len(suppression):
        return keys
    marks = [suppression.holds(kind, keys[kind]) for kind in kinds]
    return keys.filter(pc.invert(reduce(pc.or_, marks)))
