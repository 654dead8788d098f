"""Another API by configuration: whose settings count, where secrets go, and what schema pull leaves alone."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.api import Api, read_headers
from pipelines.schema.pull import pull_into
from resources.connection import Connection, GraphQLConnection
from resources.errors import ConfigurationError, QueryError
from resources.graphql_resource import GraphQLResource
from tests.bookshop import SHOP, TOKEN, Bookshop
from tests.conftest import PROFILES_QUERY, Connect
from tests.sandbox import Sandbox

OFFERED = "# api: graphql\nquery ($o: Int) { books(offset: $o) { title colour } }"


@pytest.fixture
def shop() -> Iterator[Bookshop]:
    with Bookshop() as running:
        yield running


@pytest.fixture
def queries(tmp_path: Path) -> Path:
    """Give a folder with a query of TargetData and one of the other API."""
    folder = tmp_path / "defs"
    folder.mkdir()
    (folder / "profiles.graphql").write_bytes(PROFILES_QUERY.read_bytes())
    (folder / "books.graphql").write_text(OFFERED)
    return folder


def documents(folder: Path) -> dict[str, str]:
    return {path.stem: path.read_text() for path in folder.rglob("*.graphql")}


def pull(resource: Connection, schema: Path, queries: Path | None, **options: object) -> str:
    """Pull a schema as the command does; give its text."""
    api = Api.GRAPHQL if isinstance(resource, GraphQLConnection) else Api.TARGETDATA
    pull_into(schema, queries, api=api, resource=resource, write=True, **options)
    return schema.read_text()


def test_each_api_rewrites_its_own_queries_only(
    sandbox: Sandbox,
    shop: Bookshop,
    connect: Connect,
    queries: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    before = documents(queries)
    pull(connect(sandbox), tmp_path / "account.graphql", queries)
    assert "books" not in capsys.readouterr().out
    assert documents(queries) == before
    other = GraphQLResource(url=shop.url, bearer_token=TOKEN, headers={"X-Shop": SHOP})
    pull(other, tmp_path / "shop.graphql", queries, unmarked=False)
    said = capsys.readouterr().out
    assert "dropped: Book.colour" in said
    assert "from introspection. Next: targetdata new --roots" in said
    assert "profiles" not in said
    after = documents(queries)
    assert after["profiles"] == before["profiles"]
    assert after["books"].startswith("# api: graphql\nquery")


def test_a_schema_is_pulled_where_there_are_no_queries(shop: Bookshop, tmp_path: Path) -> None:
    shop.open_to_all = True
    found = pull(GraphQLResource(url=shop.url), tmp_path / "new" / "shop.graphql", None)
    assert "type Book implements Item" in found


def test_without_introspection_a_query_is_learned_from_with_its_arguments(
    shop: Bookshop, queries: Path, tmp_path: Path
) -> None:
    shop.open_to_all, shop.introspection = True, False
    with pytest.raises(QueryError, match=r"nothing to learn its schema from: write a \.graphql document"):
        pull(GraphQLResource(url=shop.url), tmp_path / "shop.graphql", None)
    (queries / "profiles.graphql").unlink()
    found = pull(GraphQLResource(url=shop.url), tmp_path / "shop.graphql", queries)
    assert "books(offset: Int): [Book!]!" in found
    assert "books(offset: $o)" in documents(queries)["books"]


def test_without_a_url_the_first_use_names_the_setting() -> None:
    with pytest.raises(ConfigurationError, match=r"set GRAPHQL_URL in \.env"):
        GraphQLResource(url="").client.ask("{ __typename }")


def test_token_and_headers_are_sent_and_in_no_repr(shop: Bookshop) -> None:
    resource = GraphQLResource(url=shop.url, bearer_token=TOKEN, headers_json=f'{{"X-Shop": "{SHOP}"}}')
    assert resource.client.ask("{ __typename }")["data"] == {"__typename": "Query"}
    assert not [secret for secret in (TOKEN, SHOP) if secret in repr(resource)]
    resource.close()


@pytest.mark.parametrize("text", ["no json", '["a"]', '{"a": 1}'])
def test_headers_that_are_no_object_of_texts_are_refused_unseen(text: str) -> None:
    with pytest.raises(
        ConfigurationError, match=r"\(GRAPHQL_HEADERS\) are no JSON object of texts"
    ) as caught:
        GraphQLResource(url="https://localhost", headers_json=text).client.ask("{ __typename }")
    assert text not in str(caught.value)


def test_secrets_of_the_environment_go_to_its_url_only(
    monkeypatch: pytest.MonkeyPatch, shop: Bookshop
) -> None:
    from pipelines.other_api import graphql_environment

    monkeypatch.setenv("GRAPHQL_URL", "https://api.example.com/graphql")
    monkeypatch.setenv("GRAPHQL_BEARER_TOKEN", TOKEN)
    graphql_environment.cache_clear()
    try:
        other = Api.GRAPHQL.resource(shop.url, {})
        own = Api.GRAPHQL.resource(None, {"X-Lang": "de"})
    finally:
        graphql_environment.cache_clear()
    assert isinstance(other, GraphQLConnection)
    assert isinstance(own, GraphQLConnection)
    assert (other.bearer_token, own.bearer_token) == ("", TOKEN)
    assert own.headers == {"X-Lang": "de"}


def test_a_header_on_the_command_line_is_for_another_api() -> None:
    with pytest.raises(ConfigurationError, match="--header is for another API"):
        Api.TARGETDATA.resource(None, {"X-Lang": "de"})
    with pytest.raises(ConfigurationError, match="written as NAME=VALUE") as caught:
        read_headers(["Authorization: Bearer secret"])
    assert "secret" not in str(caught.value)
    with pytest.raises(ConfigurationError, match="leave --api out"):
        Api.chosen(Api.TARGETDATA, "https://api.example.com")


@pytest.mark.parametrize(
    ("text", "own"),
    [
        ("# api: graphql\nquery { a }", True),
        ("# words\n\n#api: graphql\n{ a }", True),
        ("# api: targetdata\n{ a }", False),
        ("{ a } # api: graphql", None),
        ("# the api: graphql\n{ a }", None),
    ],
)
def test_the_top_of_a_document_says_whose_it_is(text: str, own: bool | None, tmp_path: Path) -> None:
    for unmarked in (True, False):
        assert Api.GRAPHQL.owns(text, unmarked=unmarked) == (unmarked if own is None else own)
    (tmp_path / "q.graphql").write_text(text)
    expected = {True: Api.GRAPHQL, False: Api.TARGETDATA, None: None}[own]
    assert Api.named_in(tmp_path / "q.graphql") == expected
    assert Api.named_in(tmp_path / "none.graphql") is None
