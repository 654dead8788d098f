"""What is inferred of a list's document, what has to be said, and what is refused with how to mend it."""

import pytest

from resources.errors import ConfigurationError, QueryError
from resources.graphql.plan import Keyed, Listed, Paging
from tests.engine.test_public_lists import load


def plan(text: str, **paging: object) -> Listed:
    found = load(text, paging=Paging(**paging)).plan  # type: ignore[arg-type]
    assert isinstance(found, Listed)
    return found


def refusal(text: str, **paging: object) -> str:
    with pytest.raises(QueryError) as caught:
        plan(text, **paging)
    return str(caught.value)


CATALOG = "catalog(currentPage: $p) { items { id } aggregations { label } page_info { total_pages } }"
THINGS = "query ($p: Int, $o: Int, $c: String) { things(page: $p, offset: $o, after: $c) { items { id } "


@pytest.mark.parametrize(
    ("text", "paging", "message"),
    [
        (
            f"query ($p: Int) {{ {CATALOG} }}",
            {},
            'more than one thing that may be the rows: Paging(rows="catalog.items") or '
            'Paging(rows="catalog.aggregations")',
        ),
        (
            THINGS.replace(", $c: String", "").replace(", after: $c", "") + "} }",
            {},
            'read along one position, here are more: Paging(position="p") or Paging(position="o")',
        ),
        (
            "{ users { id } }",
            {},
            "users takes offset, so this may read its first",
        ),
        (
            "{ articles { data { id } } }",
            {},
            "articles takes pagination.page, so this may",
        ),
        (
            "query ($l: Int) { public { clients(limit: $l) { items { id } } } }",
            {},
            "public.clients takes offset, so this may",
        ),
        ("{ me { name posts { id } } }", {}, 'Paging(rows="me") or Paging(rows="me.posts")'),
        ("{ me { posts { id } tags { id } } }", {}, 'Paging(rows="me.posts") or Paging(rows="me.tags")'),
        (
            "query ($after: String!) { things(after: $after) { items { id } nextCursor } }",
            {},
            "the first page has no cursor, so $after must not be required",
        ),
        (
            "query ($a: String) { things(after: $a) { items { id } hasMore } }",
            {},
            "a cursor list needs its next cursor in the selection of things",
        ),
        ("query ($p: Int) { things(page: $p) { hasMore } }", {}, "things has no list of objects"),
        (
            "{ countries { id } }",
            {"strategy": "offset"},
            "paging by offset needs a variable for",
        ),
        ("{ countries { id } }", {"position": "p"}, "no argument takes $p, which Paging names as position"),
        ("{ countries { id } }", {"total": "count"}, "Paging names count, which the query does not select"),
        (
            "query ($o: Int) { things(offset: $o) { items { id } } }",
            {"size": "n"},
            "Paging names $n, which the query does not have",
        ),
        (
            "query ($last: ID) { tokens(where: { id_gt: $last }) { id } }",
            {"position": "last"},
            'what is $last? Say it as in Paging(strategy="offset")',
        ),
        (
            "{ countries { id } }",
            {"strategy": "keyed"},
            "countries gives a list, and a lookup by key gives one",
        ),
        ("{ me { name } }", {"strategy": "keyed"}, "me takes no required variable"),
        ("{ a: countries { id } b: countries { id } }", {}, "one root field a document is expected"),
        ("{ countries { id } me { name } }", {}, "one root field a document is expected"),
        ("{ __typename }", {}, "__typename is no field with rows"),
        (
            "query ($p: Int) { Page(page: $p) { a: pageInfo { hasNextPage } pageInfo { hasNextPage }"
            " media { id } } }",
            {},
            "Page.a.hasNextPage, Page.pageInfo.hasNextPage: which of them speaks of the rows?",
        ),
    ],
)
def test_what_is_not_clear_is_refused(text: str, paging: dict[str, object], message: str) -> None:
    refused = refusal(text, **paging)
    assert message in refused
    assert refused.startswith("q.graphql:")


def test_what_is_refused_can_be_chosen() -> None:
    assert plan(f"query ($p: Int) {{ {CATALOG} }}", rows="catalog.items").strategy == "page"
    chosen = THINGS + "hasMore nextCursor total } }"
    assert [plan(chosen, position=name).strategy for name in "poc"] == ["page", "offset", "cursor"]
    assert plan(chosen, strategy="cursor").position == "c"
    assert plan("{ users(limit: 5) { id } }", strategy="whole").position is None
    assert not plan("{ me { name posts { id } } }", rows="me").rows.place.is_list
    assert plan("{ me { name posts { id } } }", rows="me.posts").rows.place.path == ("me", "posts")


def test_edges_are_looked_into_wherever_they_are_named() -> None:
    text = (
        "query ($a: String) { products(first: 5, after: $a) {"
        " nodes { id } edges { node { id } } pageInfo { endCursor } } }"
    )
    assert 'Paging(rows="products.nodes") or Paging(rows="products.edges")' in refusal(text)
    for rows in ("products.edges", "products.edges.node"):
        found = plan(text, rows=rows).rows
        assert found.node is not None
        assert found.node.path == ("products", "edges", "node")


def test_aliases_count_in_paths() -> None:
    found = plan("query ($p: Int) { all: Page(page: $p) { about: pageInfo { total } them: media { id } } }")
    assert (found.rows.place.path, found.signals.total) == (("all", "them"), ("all", "about", "total"))
    chosen = plan(
        "query ($p: Int) { all: Page(page: $p) { a: pageInfo { lastPage } them: media { id } } }",
        total="all.a.lastPage",
        rows="all.them",
    )
    assert chosen.signals.total == ("all", "a", "lastPage")


def test_the_bound_of_a_filter_is_no_position() -> None:
    found = plan(
        "query ($a: String, $since: DateTime) { issues(after: $a, filter: { updatedAt: { after: $since } })"
        " { nodes { id } pageInfo { endCursor } } }"
    )
    assert found.position == "a"


def test_a_count_of_something_else_is_no_total() -> None:
    found = plan(
        'query ($a: String) { organization(login: "x") { members { totalCount } repositories(after: $a)'
        " { nodes { id } pageInfo { endCursor } } } }"
    )
    assert found.signals.total is None
    assert found.unused == ("organization.members.totalCount",)


def test_what_is_selected_and_in_no_table_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    text = "query ($o: Int) { customers(offset: $o) { total count results { id } offset } }"
    for _ in range(2):
        load(text)
    assert caplog.messages == [
        "q.graphql: selected, but beside the rows and so in no table: customers.count, customers.offset"
    ]


def test_a_lookup_stays_one_unless_it_is_said_to_be_a_list() -> None:
    text = "query ($login: String!) { organization(login: $login) { name members { totalCount } } }"
    assert isinstance(load(text).plan, Keyed)
    assert isinstance(load(text, paging=Paging(strategy="whole")).plan, Listed)
    paged = (
        "query ($owner: String!, $name: String!, $a: String) { repository(owner: $owner, name: $name)"
        " { id stargazers(first: 9, after: $a) { nodes { id } pageInfo { endCursor } } } }"
    )
    assert isinstance(load(paged).plan, Listed)
    assert isinstance(load(paged, paging=Paging(strategy="keyed")).plan, Keyed)


def test_paging_is_read_as_it_is_typed() -> None:
    typed = Paging.of(["offset", "rows=data.items", "first_page=0"])
    assert typed == Paging(strategy="offset", rows="data.items", first_page=0)
    assert Paging.of(["errors=null", "null_rows=drop"]) == Paging(errors="null", null_rows="drop")
    for text, message in [
        ("offsets", "there is no paging strategy 'offsets'; there are: cursor, offset"),
        ("row=x", "--paging row=x: there are: a strategy, rows, position"),
        ("first_page=none", "first_page is a number"),
    ]:
        with pytest.raises(ConfigurationError, match=message):
            Paging.of([text])
