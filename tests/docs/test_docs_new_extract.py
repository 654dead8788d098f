"""docs/new-extract.md is executed: three commands make a table, of the account and of another API."""

import shlex
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from pipelines.other_api import GraphQLEnvironment
from pipelines.variables import GRAPHQL
from tests.bookshop import BOOKS, SHOP, TOKEN, Bookshop
from tests.conftest import ROOT
from tests.dagster_runs import Location, copied_checkout
from tests.docs.test_docs_lists import LISTS, busiest_day
from tests.documents import blocks, commands
from tests.sandbox import Sandbox

DOCUMENT = ROOT / "docs" / "new-extract.md"
URL, PUBLIC = "https://api.example.com/graphql", "https://api.example.com/public"


@pytest.fixture
def shop() -> Iterator[Bookshop]:
    with Bookshop() as running:
        yield running


@pytest.fixture
def public() -> Iterator[Bookshop]:
    with Bookshop(open_to_all=True) as running:
        yield running


@pytest.fixture
def location(shop: Bookshop, tmp_path: Path) -> Iterator[Location]:
    """Give a copy of the checkout, on an account that has lists, with the page's settings of another API."""
    (text,) = blocks(DOCUMENT, "ini")
    named = dict(line.split("=", 1) for line in text.splitlines())
    assert named["GRAPHQL_URL"] == URL
    other = {**named, "GRAPHQL_URL": shop.url, "GRAPHQL_BEARER_TOKEN": TOKEN}
    other["GRAPHQL_HEADERS"] = named["GRAPHQL_HEADERS"].replace("berlin", SHOP)
    own = {"TARGETDATA_SCHEMA_FILE": str(LISTS), "TARGETDATA_START_DATE": "2010-01-01"}
    with Sandbox(people=400, seed=7, variant="lists") as sandbox:
        yield Location(sandbox, tmp_path, copied_checkout(tmp_path / "clone"), settings=own | other)


@pytest.mark.journey
def test_its_commands_make_the_tables(location: Location, public: Bookshop) -> None:
    day, people = busiest_day(location.sandbox)
    profiles = (location.root / "pipelines/defs/profiles/profiles.graphql").read_bytes()
    (location.root / "books.graphql").write_text("query ($o: Int) { books(offset: $o) { title } }")
    said = ""
    for command in commands(DOCUMENT):
        command = command.replace("2026-11-22", str(day)).replace(PUBLIC, public.url)
        done = location.run(*shlex.split(command))
        said += done.stdout + done.stderr
    assert location.lake.read("changes", f"date={day}")["profile_id"].to_pylist() == people
    assert location.lake.read("books", "")["title"].to_pylist() == [book["title"] for book in BOOKS]
    titles = pq.read_table(location.root / "books.parquet")["title"].to_pylist()
    assert titles == [book["title"] for book in BOOKS]
    assert "profilesByPage(page: Int!, pageSize: Int!): ProfilePage!" in said
    assert (location.root / "pipelines/defs/profiles/profiles.graphql").read_bytes() == profiles
    assert [s for s in (TOKEN, SHOP) if s.encode() in location.everything_stored() + said.encode()] == []


def test_its_settings_are_all_there_are() -> None:
    secrets = {
        "bearer_token": "Sent as Authorization.",
        "headers": "A JSON object of headers, sent with every request.",
    }
    fields = {name: (f.default, f.description) for name, f in GraphQLEnvironment.model_fields.items()}
    rows = {"url": fields["url"], **{name: ("", text) for name, text in secrets.items()}, **fields}
    table = "| Setting | Default | Meaning |\n|---|---|---|\n" + "\n".join(
        f"| `{GRAPHQL}{name.upper()}` | {f'`{default}`' if isinstance(default, Path) else ''} | {text} |"
        for name, (default, text) in rows.items()
    )
    assert table in DOCUMENT.read_text(encoding="utf-8"), f"the page's table should be\n{table}"
