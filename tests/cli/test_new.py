"""`targetdata new`: what it writes runs without an edit, and what it cannot know it asks for."""

import importlib.util
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from types import ModuleType

import dagster as dg
import pyarrow as pa
import pytest
from click.testing import Result
from graphql import print_schema
from typer.testing import CliRunner

from pipelines.api import Api
from pipelines.cli import app
from pipelines.new import show_roots, write_extract
from pipelines.new.asset import IMPORTED
from pipelines.other_api import graphql_environment
from pipelines.plan.extracts import PlannedPartition
from resources.errors import ConfigurationError, ExtractionError, FeedError, QueryError
from resources.graphql.schema.drafting.draft import Order
from resources.graphql_resource import ApiResource, GraphQLResource
from resources.lake import Lake
from resources.privacy import Suppression
from tests.bookshop import BOOKS, ITEMS, TORN, Bookshop
from tests.bookshop import SCHEMA as BOOKSHOP
from tests.conftest import ROOT, Connect
from tests.local import last_days
from tests.sandbox import Sandbox
from tests.sandbox.lists import changed

DAY = last_days()[-1]
SANDBOXES = ROOT / "tests" / "sandbox"
Write = Callable[..., Path]


@pytest.fixture
def shop() -> Iterator[Bookshop]:
    with Bookshop(open_to_all=True) as running:
        yield running


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write an extract, by default of the bookshop; give its folder."""
    (tmp_path / "bookshop.graphql").write_text(print_schema(BOOKSHOP))

    def written(
        root: str,
        *,
        api: Api = Api.GRAPHQL,
        schema: Path | None = None,
        keys: str | None = None,
        **order: object,
    ) -> Path:
        write_extract(
            Order(name="things", root=root, **order),
            api=api,
            schema_file=schema or tmp_path / "bookshop.graphql",
            into=tmp_path / "defs",
            keys_from=keys,
            force=False,
            ask=lambda *_: None,
        )
        return tmp_path / "defs" / "things"

    return written


def asset(folder: Path) -> dg.AssetsDefinition:
    """Load the asset that was written."""
    found = module(folder).things
    assert isinstance(found, dg.AssetsDefinition)
    return found


def module(folder: Path) -> ModuleType:
    """Load what was written."""
    spec = importlib.util.spec_from_file_location("written", folder / "assets.py")
    assert spec is not None
    assert spec.loader is not None
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


def table(folder: Path, api: ApiResource, lake: Path, *, day: str | None = None) -> pa.Table:
    """Materialize what was written; give the table."""
    name = "graphql" if isinstance(api, GraphQLResource) else "targetdata"
    resources = {name: api, "lake": Lake(path=str(lake))}
    assert dg.materialize([asset(folder)], resources=resources, partition_key=day).success
    return resources["lake"].read("things", f"date={day}" if day else "")  # type: ignore[attr-defined, no-any-return]


def test_a_list_of_an_interface_is_read_whole_by_what_is_written(
    shop: Bookshop, write: Write, tmp_path: Path
) -> None:
    folder = write("items")
    top = (folder / "things.graphql").read_text().splitlines()[:3]
    assert top == ["# api: graphql", "# Left out:", "# - Author.books: leads back to where it came from"]
    found = table(folder, GraphQLResource(url=shop.url), tmp_path / "lake").to_pylist()
    assert [row["item_id"] for row in found] == [item["item_id"] for item in ITEMS]
    assert {row["__typename"] for row in found} == {"Book", "Record"}
    record = found[3]
    assert (record["pages"], record["pages_of_record"], record["author"]) == (None, "none", None)
    assert found[0]["author"]["name"] == "Author 1"


def test_a_list_by_offset_and_one_in_one_answer_have_no_partitions(
    shop: Bookshop, write: Write, tmp_path: Path
) -> None:
    folder = write("books")
    assert asset(folder).partitions_def is None
    found = table(folder, GraphQLResource(url=shop.url, page_size=4), tmp_path / "lake")
    assert found["item_id"].to_pylist() == [book["item_id"] for book in BOOKS]


def test_a_fixed_value_is_written_into_the_query(shop: Bookshop, write: Write, tmp_path: Path) -> None:
    folder = write("shelf", given={"name": "four"})
    assert 'shelf(name: "four")' in (folder / "things.graphql").read_text()
    assert table(folder, GraphQLResource(url=shop.url), tmp_path / "lake").num_rows == 4


def test_keys_come_from_a_file_that_is_named(shop: Bookshop, write: Write, tmp_path: Path) -> None:
    (tmp_path / "ids.csv").write_text("item_id\n4\n1\nnone\n")
    folder = write("item", keys=str(tmp_path / "ids.csv"))
    found = table(folder, GraphQLResource(url=shop.url), tmp_path / "lake")
    assert found["title"].to_pylist() == ["Book 1", "Record 4"]
    lookups = Lake(path=str(tmp_path / "lake")).read("things__lookups", "")
    assert lookups["status"].to_pylist() == ["found", "found", "not_found"]
    chosen = module(folder).planned.choose(Lake(path="/no/lake"), {"": PlannedPartition(None)})
    assert chosen[""]["item_id"].to_pylist() == ["1", "4", "none"], "what targetdata plan counts"


def test_who_was_erased_is_not_asked_for_by_a_key_of_a_file(
    shop: Bookshop, write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TARGETDATA_PRIVACY_KEY", "key" * 8)
    Suppression.add(tmp_path / "lake", "key" * 8, [("item_id", "4")])
    (tmp_path / "ids.csv").write_text("item_id\n4\n1\n")
    folder = write("item", keys=str(tmp_path / "ids.csv"))
    found = table(folder, GraphQLResource(url=shop.url), tmp_path / "lake")
    assert found["title"].to_pylist() == ["Book 1"]
    lookups = Lake(path=str(tmp_path / "lake")).read("things__lookups", "")
    assert lookups["item_id"].to_pylist() == ["1"]
    assert sum(document.count("item(") for document in shop.documents) == 1, "the other was not sent"


@pytest.mark.parametrize("variant", ["targetdata", "foreign"])
def test_a_lookup_by_umid_takes_the_keys_of_the_day(
    variant: str, write: Write, connect: Connect, stack: ExitStack, tmp_path: Path
) -> None:
    sandbox = stack.enter_context(Sandbox(people=60, seed=7, variant=variant))
    umids = sandbox.umids_of(DAY)
    keys = pa.table({"umid": umids})
    with Lake(path=str(tmp_path / "lake")).write(
        f"date={DAY}", {"profile_keys": keys.schema}, run="of the test"
    ) as writer:
        writer.write({"profile_keys": keys})
    file = SANDBOXES / ("foreign.graphql" if variant == "foreign" else "schema.graphql")
    folder = write("personTargetDataByUmid", api=Api.TARGETDATA, schema=file)
    found = table(folder, connect(sandbox), tmp_path / "lake", day=str(DAY))
    people = {p["profileId"]: p for umid in umids if (p := sandbox.person_of(umid))}
    assert sorted(found["profile_id"].to_pylist()) == sorted(people)
    for row in found.to_pylist():
        truth = people[row["profile_id"]]["cookieConsents"]
        assert domains(row["cookie_consents"]) == domains(truth)


def domains(consents: list[dict[str, object] | None] | None) -> list[object]:
    return [consent and consent["domain"] for consent in consents or []]


@pytest.mark.parametrize("root", ["profiles", "profilesByOffset"])
def test_the_window_of_a_list_is_the_day_of_a_partition(
    root: str, write: Write, connect: Connect, stack: ExitStack, tmp_path: Path
) -> None:
    sandbox = stack.enter_context(Sandbox(people=200, seed=7, variant="lists", max_page_size=2))
    day = str(max(changed(person) for person in sandbox.people).date())
    folder = write(root, api=Api.TARGETDATA, schema=SANDBOXES / "lists.graphql")
    found = table(folder, connect(sandbox), tmp_path / "lake", day=day)
    expected = [p["profileId"] for p in sandbox.people if str(changed(p).date()) == day]
    assert sorted(found["profile_id"].to_pylist()) == sorted(expected)


def test_what_is_written_is_formatted_and_says_what_comes_next(
    write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write("item", keys="items_of_day", identity="")
    said = capsys.readouterr().out
    assert "One row per item_id of the day that is found: its Item." in said
    assert "left out: Author.books (leads back to where it came from)" in said
    assert f"dagster asset materialize -m pipelines.definitions --select things --partition {DAY}" in said
    ruff = [str(Path(sys.executable).with_name("ruff")), "--config", str(ROOT / "pyproject.toml")]
    for command in (["format", "--check"], ["check", "--ignore", "S108"]):
        assert subprocess.run([ruff[0], *command, *ruff[1:], str(folder)], check=False).returncode == 0


def test_a_list_that_is_cut_says_so_in_the_asset_and_on_the_screen(
    write: Write, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    schema = tmp_path / "cut.graphql"
    schema.write_text(
        "enum State { PAID OPEN } type Payment { id: ID! } "
        "type Query { payments(first: Int, state: State, name: String): [Payment] }"
    )
    folder = write("payments", schema=schema, given={"first": "3", "state": "PAID", "name": "a b"})
    code = (folder / "assets.py").read_text()
    assert 'One row per Payment (id) with state = PAID and name = "a b", at most 3 rows (first).' in code
    assert 'paging=Paging(strategy="whole")' in code
    assert "one answer is taken for all: at most 3 rows (first)" in capsys.readouterr().out
    assert asset(folder).partitions_def is None


def test_long_values_are_not_repeated_in_the_asset(write: Write) -> None:
    folder = write("shelf", given={"name": "long " * 30})
    assert "with the query's name." in (folder / "assets.py").read_text()


@pytest.fixture
def setting(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, str], None]]:
    """Set a variable of the other API for one test."""

    def set_(name: str, value: str) -> None:
        monkeypatch.setenv(name, value)
        graphql_environment.cache_clear()

    yield set_
    graphql_environment.cache_clear()


def test_so_many_keys_may_fail_as_the_settings_of_its_api_say(
    shop: Bookshop, write: Write, tmp_path: Path, setting: Callable[[str, str], None]
) -> None:
    (tmp_path / "ids.csv").write_text(f"item_id\n1\n{TORN}\n")
    folder = write("item", keys=str(tmp_path / "ids.csv"))
    api = GraphQLResource(url=shop.url)
    with pytest.raises(dg.Failure, match="1 of 2 keys failed"):
        table(folder, api, tmp_path / "lake")
    setting("GRAPHQL_MAX_FAILED", "1")
    assert table(folder, api, tmp_path / "lake").num_rows == 1


def test_what_would_not_load_is_not_written(write: Write, tmp_path: Path) -> None:
    schema = tmp_path / "two.graphql"
    schema.write_text("type Row { id: ID! name: String } type Query { rows: [Row] }")
    with pytest.raises(QueryError, match="nothing"):
        write("rows", schema=schema, identity="nothing")
    assert not (tmp_path / "defs").exists()


def test_a_file_without_the_column_is_refused(write: Write, tmp_path: Path) -> None:
    (tmp_path / "ids.csv").write_text("other\n4\n")
    with pytest.raises(FeedError, match="item_id"):
        write("item", keys=str(tmp_path / "ids.csv"))
    with pytest.raises(FeedError, match="There is no file"):
        write("item", keys=str(tmp_path / "none.csv"))
    assert not (tmp_path / "defs").exists()


def test_an_asset_of_keys_that_is_not_there_yet_is_named(
    write: Write, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    write("item", keys="items_of_day")
    assert "there is no asset items_of_day yet" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("root", "order", "error", "message"),
    [
        ("item", {}, ConfigurationError, "looks up by item_id: say where they come from with --keys-from"),
        ("items", {"keys": "some"}, ConfigurationError, "items is a list by cursor: it takes no --keys-from"),
        ("book", {}, QueryError, r"there is no root field book; did you mean books\?"),
        ("shelf", {}, QueryError, r"needs values that only you know: name \(String!\)"),
    ],
)
def test_what_is_missing_is_named_and_nothing_is_written(
    root: str, order: dict[str, str], error: type[ExtractionError], message: str, write: Write, tmp_path: Path
) -> None:
    with pytest.raises(error, match=message):
        write(root, **order)
    assert not (tmp_path / "defs").exists()


@pytest.mark.parametrize(
    "name",
    ["Orders", "2024", "class", "profiles", "a__b", "../orders", "pool", "daily", "root", "str", "dg"]
    + [name for name in IMPORTED if name.islower()],
)
def test_a_name_that_cannot_be_a_table_is_refused(name: str, tmp_path: Path) -> None:
    options = {
        "schema_file": None,
        "into": tmp_path,
        "keys_from": None,
        "force": False,
        "ask": print,
    }
    with pytest.raises(ConfigurationError, match="name"):
        write_extract(Order(name=name, root="items"), api=Api.GRAPHQL, **options)


def test_what_is_there_is_not_overwritten(write: Write) -> None:
    write("items")
    with pytest.raises(ConfigurationError, match="things is there already: choose another name, or --force"):
        write("books")


def test_a_schema_that_is_not_there_says_how_to_get_it(write: Write, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="fetch it with targetdata schema pull --api graphql"):
        write("items", schema=tmp_path / "none.graphql")


def test_the_roots_are_shown_with_how_they_are_read(capsys: pytest.CaptureFixture[str]) -> None:
    show_roots(Api.TARGETDATA, SANDBOXES / "lists.graphql")
    said = capsys.readouterr().out
    assert "profilesByPage(page: Int!, pageSize: Int!): ProfilePage!\n    a list by page number\n" in said
    assert "    a list by cursor, window changedFrom … changedTo\n" in said
    assert "    a lookup by idName, idValue\n" in said


def command(*arguments: str, answers: str | None = None) -> Result:
    """Run `targetdata new` in this process; `answers` are typed at a terminal."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys.modules["pipelines.cli.new"], "at_terminal", lambda: answers is not None)
        return CliRunner().invoke(app, ["new", *arguments], input=answers)


def test_at_a_terminal_what_is_required_is_asked_for(tmp_path: Path) -> None:
    schema = tmp_path / "shop.graphql"
    schema.write_text(print_schema(BOOKSHOP))
    options = ["--schema", str(schema), "--api", "graphql", "--into", str(tmp_path)]
    done = command("shelves", "--root", "shelf", *options, answers="of mine\n")
    assert "name (String!): a value" in done.output
    assert 'shelf(name: "of mine")' in (tmp_path / "shelves" / "shelves.graphql").read_text()
    done = command("one", "--root", "item", "--keys-from", "items_of_day", *options, answers="\n")
    assert "item_id (ID!): Enter makes it a key, or a fixed value" in done.output
    assert "item(item_id: $item_id)" in (tmp_path / "one" / "one.graphql").read_text()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "write targetdata new NAME --root FIELD; --roots shows the fields"),
        (["orders"], "write targetdata new NAME --root FIELD"),
        (["orders", "--root", "profiles", "--arg", "x"], "--arg x: write it as name=value"),
        (["orders", "--root", "nothing"], "there is no root field nothing"),
    ],
)
def test_a_command_that_says_too_little_exits_with_1_and_what_to_write(
    arguments: list[str], message: str
) -> None:
    done = command(*arguments)
    assert (done.exit_code, message in done.output) == (1, True)
