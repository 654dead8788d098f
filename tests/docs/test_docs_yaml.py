"""docs/yaml.md is executed: its folders make tables, its errors are what is said, its options are all."""

import re
import shlex
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import duckdb
import pytest
import yaml
from graphql import print_schema
from pydantic import BaseModel

from pipelines.components.component import AssetOptions
from pipelines.components.extract_options import GraphQLExtractOptions, PagingOptions
from pipelines.components.key_feed import KeyFeedOptions
from pipelines.components.warehouse_load import WarehouseLoadOptions
from tests.bookshop import BOOKS, Bookshop
from tests.bookshop import SCHEMA as BOOKSHOP
from tests.conftest import ROOT
from tests.dagster_runs import Location, copied_checkout
from tests.documents import blocks, commands
from tests.sandbox import Sandbox
from tests.truth import expected_profiles

PAGE = ROOT / "docs" / "yaml.md"
TEXT = PAGE.read_text(encoding="utf-8")
NAMED = re.compile(
    r"`(pipelines/defs/[\w/.]+)`(?:(?!\n\n).)*\n\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL
)
FILES = dict(NAMED.findall(TEXT))  # the last file that a paragraph names is the block below it
DAY = date(2026, 11, 22)
OPTIONS: dict[str, type[BaseModel]] = {
    "GraphQLExtract": GraphQLExtractOptions,
    "KeyFeed": KeyFeedOptions,
    "GraphQLExtract and KeyFeed": AssetOptions,
    "WarehouseLoad": WarehouseLoadOptions,
    "paging": PagingOptions,
}


@pytest.mark.parametrize("name", OPTIONS)
def test_its_tables_have_all_options(name: str) -> None:
    shared = {} if OPTIONS[name] is AssetOptions else AssetOptions.model_fields
    fields = {n: f for n, f in OPTIONS[name].model_fields.items() if n not in shared}
    lines = "".join(f"| `{n}` | {field.description} |\n" for n, field in fields.items())
    table = f"| Option | Meaning |\n|---|---|\n{lines}"
    _, _, section = TEXT.partition(f"### {name}\n")
    assert table in section.partition("\n### ")[0], f"the table of {name} should be\n{table}"


def test_each_of_its_files_is_written_by_the_tests() -> None:
    assert len(FILES) == len(blocks(PAGE, "yaml")) + len(blocks(PAGE, "graphql"))


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A copy of the checkout with all of the page's files."""
    folder = copied_checkout(tmp_path / "clone")
    for name, text in FILES.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    (folder / "pipelines" / "graphql_schema.graphql").write_text(print_schema(BOOKSHOP))
    return folder


@pytest.fixture
def shop() -> Iterator[Bookshop]:
    with Bookshop(open_to_all=True) as running:
        yield running


@pytest.mark.journey
def test_its_folders_make_the_tables(sandbox: Sandbox, shop: Bookshop, clone: Path, tmp_path: Path) -> None:
    sandbox.write_feed(clone / "data" / "feed", [DAY])
    with duckdb.connect(str(tmp_path / "crm-secret.duckdb")) as database:
        rows = f"(VALUES ('7', TIMESTAMP '{DAY} 10:00'), ('8', TIMESTAMP '2020-01-01'))"
        database.execute(f"CREATE TABLE customers AS SELECT * FROM {rows} t(id, seen)")
    settings = {"GRAPHQL_URL": shop.url, "CRM_URI": f"duckdb://{tmp_path}/crm-secret.duckdb"}
    location = Location(sandbox, tmp_path, clone, settings=settings)
    said = ""
    for command in commands(PAGE):
        done = location.run(*shlex.split(command))
        said += done.stdout + done.stderr
    found = location.lake.read("visitors", f"date={DAY}")
    umids = sandbox.umids_of(DAY)
    assert set(found["profile_id"].to_pylist()) == {
        row["profile_id"] for row in expected_profiles(sandbox, umids)
    }
    assert location.lake.read("visitor_keys", f"date={DAY}")["umid"].to_pylist() == umids
    with duckdb.connect(str(tmp_path / "warehouse.duckdb")) as database:
        for table in ("visitors", "visitors__cookie_consents", "visitors__lookups"):
            (loaded,) = database.execute(f"SELECT count(*) FROM {table}").fetchall()
            assert loaded == (location.lake.read(table, f"date={DAY}").num_rows,)
    assert f"{len(umids):,}" in said, "the plan counts the keys"
    location.run("dagster", *materialize("books"))
    location.run("dagster", *materialize("customer_keys"), "--partition", str(DAY))
    assert location.lake.read("books", "")["title"].to_pylist() == [book["title"] for book in BOOKS]
    assert location.lake.read("customer_keys", f"date={DAY}")["customer_id"].to_pylist() == ["7"]
    assert b"crm-secret" not in location.everything_stored()


def materialize(name: str) -> list[str]:
    return ["asset", "materialize", "-m", "pipelines.definitions", "--select", name]


@pytest.mark.journey
@pytest.mark.parametrize(
    ("file", "right"),
    [("defs.yaml", "identity"), ("defs.yaml", "visitor_keys"), ("visitors.graphql", "lastSeen")],
)
def test_its_errors_are_what_dagster_prints(
    file: str, right: str, sandbox: Sandbox, clone: Path, tmp_path: Path
) -> None:
    expected, wrong = said_of(right)
    place = clone / "pipelines" / "defs" / "visitors" / file
    place.write_text(place.read_text().replace(right, wrong))
    printed = Location(sandbox, tmp_path, clone).run("dagster", "definitions", "validate", check=False)
    assert printed.returncode != 0
    errors = [line for line in (printed.stdout + printed.stderr).splitlines() if "resources.errors." in line]
    assert expected in errors[0]


def said_of(right: str) -> tuple[str, str]:
    """Give the line of the page that says what is meant, and the word that it found in its place."""
    (line,) = [
        line for line in TEXT.splitlines() if re.search(rf"did you mean '?{right}'?\?", line, re.IGNORECASE)
    ]
    (wrong,) = re.findall(r"(?:: |asset |field ')(\w+)(?:: there is no such|; did you|' on type)", line)
    return line.removesuffix("…"), wrong


def test_its_examples_are_yaml_with_one_component_a_document() -> None:
    for text in blocks(PAGE, "yaml"):
        for document in yaml.safe_load_all(text):
            assert document["type"].startswith("pipelines.components.")
