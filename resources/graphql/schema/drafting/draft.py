"""A first draft of a query, made from the schema: what a person would write who wants all of it."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count

from graphql import FieldNode, GraphQLSchema

from resources.errors import QueryError
from resources.graphql.columns import snake_case
from resources.graphql.plan.place import plain
from resources.graphql.plan.vocabulary import MORE
from resources.graphql.schema.drafting.beside import left_beside
from resources.graphql.schema.drafting.document import RESERVED, WINDOW, document_text, fields_in
from resources.graphql.schema.drafting.finding import find_root
from resources.graphql.schema.drafting.identity import default_identity
from resources.graphql.schema.drafting.reading import conditions, limits, may_be_a_page
from resources.graphql.schema.drafting.roots import Root
from resources.graphql.schema.drafting.selecting import Selection, Selector
from resources.graphql.schema.drafting.slots import Slot, bounds
from resources.graphql.schema.drafting.values import AskForValue, Values
from resources.graphql.selection import is_list

DEPTH = 3  # levels of objects, the row itself the first
MOST_FIELDS = 300  # of a draft whose depth nobody chose: servers refuse what costs too much
BESIDE = "beside the rows, so in no table"


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is wanted: a field (`viewer.posts` is inside another), and what a person says beside it.

    `depth` counts levels of objects, the row itself the first. `identity` is a field of the row, empty for
    none. `rows` chooses among several lists. `given` are values of arguments, `keys` are arguments that are
    keys although the field can do without.
    """

    name: str
    root: str
    depth: int | None = None
    identity: str | None = None
    rows: str | None = None
    given: Mapping[str, str] = dataclasses.field(default_factory=dict)
    keys: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A document, and what an asset that runs it has to know.

    `keys` and `window` are variables. `paging` is what the document alone does not say. `left_out` are the
    fields that are not selected, by reason. `conditions` are fixed values that choose among the rows,
    `limits` say what other fixed values leave of a list.
    """

    text: str
    root: Root
    keys: tuple[str, ...]
    window: tuple[str, str] | None
    identity: str | None
    paging: Mapping[str, str]
    depth: int
    left_out: Mapping[str, Sequence[str]]
    conditions: Mapping[str, str]
    limits: Sequence[str]


def draft_query(
    schema: GraphQLSchema, order: Order, ask: AskForValue, *, scalars: Mapping[str, str] | None = None
) -> Draft:
    """Draft a query; `ask` gives a value that is needed, None where nobody is there to say it.

    Raises QueryError where the schema has no such field or a value is missing.
    """
    names = {name.removeprefix(f"{order.root.rpartition('.')[2]}.") for name in order.given}
    root = find_root(schema, order.root, rows=order.rows, given=names, keys=order.keys)
    values = Values(root, order.given)
    values.complete(root, ask)
    root = find_root(schema, order.root, rows=order.rows, given=values.names, keys=order.keys)
    values.require_all(root)
    keys = {slot: key_variable(slot, root) for slot in root.keys}
    identity = (
        order.identity if order.identity is not None else default_identity(root.envelope.row_type, schema)
    )
    key_columns = () if identity else tuple(snake_case(name) for name in keys.values())
    selector, row, depth = _select(schema, root, order.depth, {RESERVED, *key_columns})
    text = document_text(order.name, root, row, keys, values)
    paging = _paging(root, row)
    beside = left_beside(root.fields[-1], root.envelope)
    if root.kind == "whole" and may_be_a_page(text, schema, rows=paging.get("rows"), scalars=scalars):
        paging |= {"strategy": "whole"}
    return Draft(
        text=text,
        root=root,
        keys=tuple(keys.values()),
        window=WINDOW if root.window else None,
        identity=identity or None,
        paging=paging,
        depth=depth,
        left_out=selector.left_out | ({BESIDE: beside} if beside else {}),
        conditions=conditions(values),
        limits=limits(root, values),
    )


def key_variable(slot: Slot, root: Root) -> str:
    """Name a key after its argument; two that would be taken for a window get a number."""
    misleading = {key for pair in bounds(root.keys) for key in pair}
    if slot not in misleading and not (root.window and slot.name in WINDOW):
        return slot.name
    others = {key.name for key in root.keys}
    return next(name for number in count(1) if (name := f"{slot.name}{number}") not in others)


def _select(
    schema: GraphQLSchema, root: Root, depth: int | None, reserved: set[str]
) -> tuple[Selector, list[Selection], int]:
    """Select to the depth that is wanted, or as deep as stays small."""
    for levels in [depth] if depth is not None else range(DEPTH, 0, -1):
        selector = Selector(schema)
        row = selector.rows(root.envelope.row_type, depth=levels, reserved=reserved)
        if size_of(row) <= MOST_FIELDS:
            break
    if not row:
        raise QueryError(f"nothing of {root.envelope.row_type.name} can be selected to this depth")
    return selector, row, levels


def size_of(selections: Sequence[object]) -> int:
    """Count the fields of a selection."""
    inner = [getattr(node, "selection_set", None) for node in selections]
    below = sum(size_of(selected.selections) for selected in inner if selected)
    return below + sum(isinstance(node, FieldNode) for node in selections)


def _paging(root: Root, row: Sequence[Selection]) -> dict[str, str]:
    """Give what `Paging` has to say: a lookup that looks like a list, an object that is the only row."""
    if root.kind == "lookup":
        names = {plain(node.name.value) for node in fields_in(row)}
        like_a_list = names & {"page_info", *MORE} or any(key.pages for key in root.keys)
        return {"strategy": "keyed"} if like_a_list else {}
    if root.kind != "whole":
        return {}
    whole_object = not root.envelope.rows and not is_list(root.fields[-1].type)
    holds_lists = whole_object and any(node.selection_set for node in fields_in(row))
    return {"rows": ".".join(root.path)} if holds_lists else {}
