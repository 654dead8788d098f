"""The type of a list's answer for msgspec: signals are decoded, rows are left as they were sent."""

from typing import TypedDict

import msgspec

from resources.graphql.plan import Listed
from resources.graphql.raw import answer_type

Tree = dict[str, "object | Tree"]


def shape_of(plan: Listed) -> type | None:
    """Give the type; None where rows are put together of parts, or errors are looked for in them."""
    rows = plan.rows
    if not rows.place.is_list or rows.others or plan.errors is not None:
        return None
    inside = len(rows.place.path)
    items: object = msgspec.Raw
    if rows.node:
        edge: Tree = {path[inside]: object for path in plan.signals.paths if path[:inside] == rows.place.path}
        items = _type(edge | {rows.node.path[-1]: msgspec.Raw})
    tree: Tree = {}
    for path in plan.signals.paths:
        if path[:inside] != rows.place.path and not _put(tree, path, object):
            return None
    rows_type = list[items] | None  # type: ignore[valid-type]
    return answer_type(_type(tree)) if _put(tree, rows.place.path, rows_type) else None


def _put(tree: Tree, path: tuple[str, ...], type_: object) -> bool:
    """Add a leaf; say whether it has a place of its own."""
    for step in path[:-1]:
        below = tree.setdefault(step, {})
        if not isinstance(below, dict):
            return False
        tree = below
    return tree.setdefault(path[-1], type_) is type_


def _type(tree: Tree) -> type:
    """Give the type of an object with these fields; it may lack any, be null, and have others."""
    fields = {key: _type(value) if isinstance(value, dict) else value for key, value in tree.items()}
    return TypedDict("Fields", fields, total=False) | None  # type: ignore
