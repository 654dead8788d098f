"""What the words of a document mean for a list: positions, sizes, signals, and what only looks like them."""

import pytest
from graphql import build_schema

from resources.errors import ConfigurationError, QueryError
from resources.graphql.plan import Keyed, Listed, Paging
from resources.graphql.query import Query
from tests.engine.odd_lists import ROWS, read, rows_of

THING = "type T { id: ID! name: String } "


def load(fields: str, text: str, types: str = "", **paging: object) -> Query:
    return Query.parse(
        text,
        schema=build_schema(f"{THING} {types} type Query {{ {fields} }}"),
        path="q.graphql",
        name="q",
        paging=Paging(**paging),  # type: ignore[arg-type]
    )


def plan(fields: str, text: str, types: str = "", **paging: object) -> Listed:
    found = load(fields, text, types, **paging).plan
    assert isinstance(found, Listed)
    return found


def test_a_page_beside_a_size_in_a_filter_is_a_position() -> None:
    sdl = THING + "input F { page: Int limit: Int q: String } type Query { ts(filter: F): [T!]! }"
    text = "query ($page: Int, $limit: Int) { ts(filter: { page: $page, limit: $limit }) { id name } }"

    def resolve(filter: dict[str, int]) -> object:
        start = (filter["page"] - 1) * filter["limit"]
        return ROWS[start : start + filter["limit"]] if start >= 0 else ValueError("no such page")

    found, _ = read(sdl, text, resolve)
    assert rows_of(found) == ROWS


@pytest.mark.parametrize(
    ("fields", "text", "message"),
    [
        ("ts(filter: F): [T]", "{ ts { id } }", "ts takes filter.page, so this may read its first page"),
        (
            "ts(filter: P): [T]",
            "query ($page: Int) { ts(filter: { page: $page }) { id } }",
            'is $page a position, so that this reads one page? If it is, say so: Paging(position="page"',
        ),
        ("ts(startIndex: Int, itemsPerPage: Int): [T]", "{ ts { id } }", "ts takes startIndex"),
        ("ts(top: Int): [T]", "{ ts { id } }", "ts takes top"),
        ("ts(max: Int): [T]", "{ ts { id } }", "ts takes max"),
        ("ts(last: Int! = 10): [T]", "{ ts { id } }", "ts takes last"),
        ("ts(chunk: Int): [T]", "query ($chunk: Int) { ts(chunk: $chunk) { id } }", "ts takes chunk"),
        (
            "ts(limit: Int!): C",
            "query ($limit: Int!) { ts(limit: $limit) { items { id } } }",
            "ts takes limit",
        ),
        ("ts: [[T!]!]!", "{ ts { id } }", "ts is [[T!]!]!: the rows would be lists"),
        (
            "ts(offset: Int): G",
            "query ($offset: Int) { ts(offset: $offset) { rows { id } } }",
            "ts.rows is [[T]]: the rows would be lists",
        ),
        (
            "t(input: I!): T",
            "query ($input: I!) { t(input: $input) { id } }",
            "$input is a key and I an input object: write the object in the document",
        ),
        (
            "ts(a: [W]): C us(a: String): C",
            "query ($c: String) { all { ts(after: $c) { items { id } } us(after: $c) { items { id } } } }",
            "$c pages more than one field (all.ts, all.us), and one list is read",
        ),
    ],
)
def test_what_may_be_a_page_only_is_refused(fields: str, text: str, message: str) -> None:
    types = (
        "input F { page: Int limit: Int } input P { page: Int } input I { id: ID } input W { a: Int }"
        " type C { items: [T] total: Int } type G { rows: [[T]] }"
        " type A { ts(after: String): C us(after: String): C }"
    )
    with pytest.raises(QueryError) as caught:
        load(fields + " all: A", text, types)
    assert message in str(caught.value)


def test_one_object_may_take_numbers_and_hold_lists_of_lists() -> None:
    found = plan("o(number: Int): O", "{ o { grid { id } } }", "type O { grid: [[T]] }")
    assert found.rows.place.path == ("o",)


def test_what_is_no_page_is_a_list_of_one_answer() -> None:
    for fields, text in [
        ("ts(ownerId: Int): [T]", "query ($id: Int) { ts(ownerId: $id) { id } }"),
        ("ts(name: String, year: Int!): [T]", "query ($year: Int!) { ts(year: $year) { id } }"),
    ]:
        assert plan(fields, text).strategy == "whole"
    assert plan("ts(max: Int): [T]", "{ ts { id } }", strategy="whole").strategy == "whole"


@pytest.mark.parametrize(
    ("position", "size", "strategy"),
    [
        ("start", "rows", "offset"),
        ("startIndex", "itemsPerPage", "offset"),
        ("pageIndex", "size", "page"),
        ("pageNo", "top", "page"),
        ("page_num", "pageSize", "page"),
    ],
)
def test_positions_and_sizes_have_many_names(position: str, size: str, strategy: str) -> None:
    found = plan(
        f"ts({position}: Int, {size}: Int): [T]",
        f"query ($a: Int, $b: Int) {{ ts({position}: $a, {size}: $b) {{ id }} }}",
    )
    assert (found.position, found.size, found.strategy) == ("a", "b", strategy)


def test_a_size_is_that_beside_the_position() -> None:
    types = "input P { page: Int } input F { size: Int }"
    text = "query ($page: Int, $size: Int) { ts(paging: { page: $page }, shoe: { size: $size }) { id } }"
    assert plan("ts(paging: P, shoe: F): [T]", text, types).size is None


def test_a_size_or_a_position_is_no_key() -> None:
    fields = "t(id: ID!, first: Int!): T"
    text = "query ($id: ID!, $first: Int!) { t(id: $id, first: $first) { name } }"
    query = load(fields, text)
    assert isinstance(query.plan, Keyed)
    assert query.tables["q"].names == ["id", "name", "fetched_at"]


@pytest.mark.parametrize(
    ("field", "beside"),
    [
        ("pages", "rows(page: Int): [T]"),
        ("next", "rows(offset: Int): [T]"),
        ("total", "rows(offset: Int): [T]"),
        ("hasMore", "rows(offset: Int): [T]"),
        ("info { total }", "rows(offset: Int): [T]"),
        ("owner { total }", "rows(offset: Int): [T]"),
    ],
)
def test_what_holds_the_list_may_have_pages_and_totals_of_its_own(field: str, beside: str) -> None:
    types = (
        "scalar Money type O { total: Int } type B { pages: Int next: ID total: Money hasMore: Boolean"
        f" info: O owner: O {beside} }}"
    )
    argument = beside[beside.index("(") + 1 : beside.index(":")]
    text = f"query ($id: ID!, $n: Int) {{ b(id: $id) {{ {field} rows({argument}: $n) {{ id }} }} }}"
    assert plan("b(id: ID!): B", text, types).signals.paths == []


def test_an_object_about_pages_beside_the_list_speaks_of_it() -> None:
    types = "type P { total: Int } type B { pageInfo: P rows(offset: Int): [T] }"
    found = plan("b: B", "query ($n: Int) { b { pageInfo { total } rows(offset: $n) { id } } }", types)
    assert found.signals.total == ("b", "pageInfo", "total")


def test_a_count_of_an_object_beside_the_rows_is_no_total() -> None:
    types = "type O { total: Int } type C { shop: O meta: O items: [T] }"
    text = "query ($n: Int) { ts(offset: $n) { shop { total } %s items { id } } }"
    assert plan("ts(offset: Int): C", text % "", types).signals.total is None
    assert plan("ts(offset: Int): C", text % "meta { total }", types).signals.total == ("ts", "meta", "total")


def test_the_nearest_signal_counts() -> None:
    types = "type C { total: Int list: D } type D { totalItems: Int items: [T] }"
    text = "query ($n: Int) { ts(offset: $n) { total list { totalItems items { id } } } }"
    assert plan("ts(offset: Int): C", text, types).signals.total == ("ts", "list", "totalItems")


@pytest.mark.parametrize("rows", [None, "node.ts.items"])
def test_a_list_in_several_fragments_is_refused_for_good(rows: str | None) -> None:
    types = (
        "interface N { id: ID } type C { items: [T] } type A implements N { id: ID ts(offset: Int): C }"
        " type B implements N { id: ID ts(offset: Int): C }"
    )
    text = (
        "query ($n: Int) { node { ... on A { ts(offset: $n) { items { id } } }"
        " ... on B { ts(offset: $n) { items { id name } } } } }"
    )
    with pytest.raises(
        QueryError, match=r"node.ts.items is selected more than once, as in several fragments"
    ):
        load("node: N", text, types, rows=rows)


def test_a_variable_in_two_bounds_is_one_position() -> None:
    types = "input I { _gt: Int } input W { _and: [W!] id: I other: I }"
    for where in ("{ id: { _gt: $last }, other: { _gt: $last } }", "{ _and: [{ id: { _gt: $last } }] }"):
        found = plan(
            "ts(limit: Int, where: W): [T]",
            f"query ($last: Int = 0) {{ ts(limit: 5, where: {where}) {{ id }} }}",
            types,
            strategy="cursor",
            position="last",
            cursor="ts.id",
        )
        assert found.position == "last"


def test_a_position_within_a_list_of_objects_is_none_unless_it_is_named() -> None:
    types = "input S { page: Int size: Int }"
    text = "query ($p: Int!) { ts(sorts: [{ page: $p, size: 5 }]) { id } }"
    assert plan("ts(sorts: [S]): [T]", text, types).strategy == "whole"


def test_ids_of_several_types_tell_rows_apart_only_beside_their_type() -> None:
    types = "interface N { id: ID } type A implements N { id: ID } type B implements N { id: ID }"
    text = "query ($n: Int) { ns(offset: $n) { %s id } }"
    assert plan("ns(offset: Int): [N]", text % "", types).rows.id is None
    assert plan("ns(offset: Int): [N]", text % "__typename", types).rows.id == "id"


def test_a_required_number_in_a_filter_only_filters() -> None:
    types = "input P { year: Int }"
    text = "query ($year: Int!) { ts(filter: { year: $year }) { id } }"
    assert plan("ts(filter: P): [T]", text, types).strategy == "whole"


def test_all_that_only_a_list_has_makes_one() -> None:
    for wanted in (
        {"total": "t.total"},
        {"total_pages": "t.total"},
        {"first_page": 0},
        {"errors": "null"},
        {"null_rows": "drop"},
    ):
        assert Paging(**wanted).wants_list, wanted  # type: ignore[arg-type]
    assert not Paging().wants_list
    for wrong in ({"errors": "keep"}, {"null_rows": "keep"}):
        with pytest.raises(ConfigurationError, match=f"{next(iter(wrong))} in Paging is"):
            Paging(**wrong)  # type: ignore[arg-type]
