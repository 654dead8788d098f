"""Lists that are tables of their own go the whole way: runs, kills, checks, the command."""

import signal
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.checks import extract_checks
from pipelines.extraction import Extraction
from resources.errors import SchemaChanged
from resources.graphql.query import Query, load_schema
from resources.lake import Lake
from resources.lake.columns_policy import require_columns
from resources.schema_changes import SchemaChanges
from tests.chaos.victims import Order, folder
from tests.conftest import PROFILES_QUERY, ROOT, SCHEMA, Connect
from tests.dagster_runs import Location
from tests.local import last_days
from tests.published_lake import DAY, END, Made
from tests.published_lake import rows as made_rows
from tests.sandbox import Sandbox
from tests.truth import expected, expected_profiles, plain, root_field, snake

DAYS = [str(day) for day in last_days(2)]
RANGE = {"dagster/asset_partition_range_start": DAYS[0], "dagster/asset_partition_range_end": DAYS[1]}
KILLED_AT = 34  # changes in the lake: two slices of three are staged
Rows = list[dict[str, Any]]


@pytest.fixture(scope="session")
def query() -> Query:
    return Query.load(PROFILES_QUERY, schema=SCHEMA, identity="profileId", explode="*")


FIELDS = {
    snake(list_.name.value): [snake(field.name.value) for field in list_.selection_set.selections]  # type: ignore[union-attr]
    for list_ in root_field().selection_set.selections  # type: ignore[union-attr]
    if list_.selection_set  # type: ignore[union-attr]
}


def expected_tables(rows: Rows, key: str = "profile_id") -> dict[str, Rows]:
    """Take the lists out of rows as a loop does, and the purposes out of the consents."""
    tables = {"profiles": [{k: v for k, v in row.items() if k not in FIELDS} for row in rows]}
    for name, fields in FIELDS.items():
        tables[f"profiles__{name}"] = [
            {key: row[key], "position": position} | (item or dict.fromkeys(fields))
            for row in rows
            for position, item in enumerate(row[name] or [])
        ]
    tables["profiles__cookie_consents__purposes"] = [
        {key: row[key], "cookie_consents_position": row["position"], "position": position}
        | (item or {"name": None, "value": None})
        for row in tables["profiles__cookie_consents"]
        for position, item in enumerate(row.pop("purposes") or [])
    ]
    return tables


def assert_tables(lake: Lake, sandbox: Sandbox, days: dict[str, list[str]]) -> None:
    """Look that each day's tables are those of the people that its keys lead to, of one generation."""
    for day, umids in days.items():
        wanted = expected_tables(expected_profiles(sandbox, umids))
        assert {name: plain(lake.read(name, folder(day))) for name in wanted} == wanted
        assert all(wanted.values())
        manifests = [lake.manifest(name, folder(day)) for name in (*wanted, "profiles__lookups")]
        assert len({(found.generation, found.run) for found in manifests if found}) == 1


@pytest.fixture
def days(sandbox: Sandbox) -> dict[str, list[str]]:
    return {str(day): sandbox.umids_of(day) for day in last_days(2)}


@pytest.mark.filterwarnings("ignore:Parameter `backfill_policy`")
def test_a_run_over_two_days_publishes_and_records_all_tables_of_each(
    query: Query, days: dict[str, list[str]], sandbox: Sandbox, connect: Connect, memory: Path
) -> None:
    lake, api = Lake(path=str(memory)), connect(sandbox)

    @dg.asset(
        partitions_def=dg.DailyPartitionsDefinition(DAYS[0]), backfill_policy=dg.BackfillPolicy.single_run()
    )
    def profiles(context: dg.AssetExecutionContext) -> None:
        keys = {day: pa.table({"umid": umids}) for day, umids in days.items()}
        with Extraction(context, lake, query).range() as opened:
            for page in api.pages(query, keys=opened.grouped(keys), resume=opened.resume):
                opened.write(page)

    done = dg.materialize([profiles, *extract_checks(profiles, query)], tags=RANGE, resources={"lake": lake})
    assert_tables(lake, sandbox, days)
    accounts = [e for e in done.get_asset_check_evaluations() if e.check_name == "accounting"]
    assert [event.passed for event in accounts] == [True, True]
    for event in done.asset_materializations_for_node("profiles"):
        for name, rows in expected_tables(expected_profiles(sandbox, days[str(event.partition)])).items():
            recorded = event.metadata[f"rows{name.removeprefix('profiles')}"]
            assert recorded.value == len(rows)
            (accounted,) = [e for e in accounts if e.partition == event.partition]
            assert accounted.metadata[f"rows{name.removeprefix('profiles')}"] == recorded


def test_a_run_that_is_killed_is_gone_on_with_in_all_tables(
    days: dict[str, list[str]], sandbox: Sandbox, memory: Path
) -> None:
    order = Order(sandbox.url, sandbox.refresh_token, str(memory), days, explode=("*",))
    victim = order.start(at=KILLED_AT)
    victim.join()
    assert victim.exitcode == -signal.SIGKILL
    assert not Lake(path=order.path).manifests("profiles")
    answered = len(sandbox.answers)
    successor = order.start()
    successor.join()
    assert successor.exitcode == 0
    again = sum(times > 1 for times in sandbox.answers.values())
    assert again < answered, "something was staged"
    assert_tables(Lake(path=order.path), sandbox, days)


def test_a_list_along_its_cursor_is_exploded_by_its_identity(stack: ExitStack, connect: Connect) -> None:
    lists = stack.enter_context(Sandbox(people=60, seed=7, variant="lists"))
    text = (
        "query changed($after: String) { profiles(first: 7, after: $after) { nodes { profileId "
        "identifiers { name type value lastSeen } } pageInfo { hasNextPage endCursor } } }"
    )
    schema = load_schema(ROOT / "tests" / "sandbox" / "lists.graphql")
    query = Query.parse(
        text, schema=schema, path="q", name="q", identity="profileId", explode=["identifiers"]
    )
    pages = list(connect(lists).pages(query))
    assert len(pages) > 2
    found = plain(pa.concat_tables([page.tables["q__identifiers"] for page in pages]))
    people = [expected(person, root_field()) for person in lists._graph._lists.within(None, None)]
    assert found == expected_tables(people)["profiles__identifiers"]
    assert all(page.tables["q"].column_names == ["profile_id", "fetched_at"] for page in pages)


def test_without_an_identity_each_key_has_the_elements(sandbox: Sandbox, connect: Connect) -> None:
    query = Query.load(PROFILES_QUERY, schema=SCHEMA, explode=["permissions"])
    umids = sandbox.umids_of(last_days(1)[0])[:40]
    pages = list(connect(sandbox).pages(query, keys=umids))
    found = plain(pa.concat_tables([page.tables["profiles__permissions"] for page in pages]))
    rows = [
        {"umid": umid} | expected(person, root_field())
        for umid in umids
        if (person := sandbox.person_of(umid))
    ]
    assert found == expected_tables(rows, "umid")["profiles__permissions"]


def test_the_command_writes_a_file_for_each_list(sandbox: Sandbox, tmp_path: Path) -> None:
    location = Location(sandbox, tmp_path)
    (events,) = sandbox.write_feed(tmp_path, last_days(1))
    out = tmp_path / "out" / "p.parquet"
    options = ["--identity", "profileId", "--explode", "identifiers", "--explode", "cookieConsents"]
    said = location.run(
        "targetdata", "extract", str(PROFILES_QUERY), "--keys", str(events), "--out", str(out), *options
    )
    names = ["p.parquet", "p__cookie_consents.parquet", "p__identifiers.parquet", "p__lookups.parquet"]
    assert sorted(path.name for path in out.parent.iterdir()) == names
    wanted = expected_profiles(sandbox, sandbox.umids_of(last_days(1)[0]))
    identifiers = plain(pq.read_table(out.parent / "p__identifiers.parquet"))
    assert identifiers == expected_tables(wanted)["profiles__identifiers"]
    assert f"p__identifiers.parquet: {len(identifiers):,} rows" in "".join(said.stderr.split("\n"))
    consents = pq.read_schema(out.parent / "p__cookie_consents.parquet")
    assert pa.types.is_list(consents.field("purposes").type), "what is not named stays nested"


@pytest.fixture
def made(memory: Path, query: Query) -> Made:
    """A published partition in which each of three profiles has three permissions."""
    made = Made(memory, query)
    ids, keys = ["a", "b", "c"], ["1", "2", "3"]
    lists = {"profile_id": [id_ for id_ in ids for _ in ids], "position": [0, 1, 2] * 3}
    given: dict[str, dict[str, list[object]]] = {
        "profiles": {"profile_id": [*ids], "fetched_at": [END] * 3},
        "profiles__lookups": {"umid": [*keys], "status": ["found"] * 3, "identity": [*ids]},
        "profiles__permissions": {**lists, "fetched_at": [END] * 9},
    }
    given["profiles__lookups"]["fetched_at"] = [END] * 3
    with made.lake.write(DAY, query.tables, run="run") as writer:
        writer.write({name: made_rows(query.tables[name], values) for name, values in given.items()})
    return made


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda rows: rows, ""),
        (lambda rows: pa.concat_tables([rows, rows.slice(8)]), "rows 10, distinct in it 9"),
        (lambda rows: rows.slice(1), "lists of profiles__permissions that lack an element: 1"),
        (
            lambda rows: rows.set_column(0, "profile_id", pa.array([*"aaabbbxxx"])),
            "lists of profiles__permissions without a row in profiles: 1",
        ),
    ],
)
def test_elements_that_are_lost_doubled_or_of_nobody_are_found(
    change: Callable[[pa.Table], pa.Table], says: str, made: Made
) -> None:
    made.rewrite("profiles__permissions", change)
    said = made.account()
    assert says in said
    assert bool(said) == bool(says)


def test_a_table_of_a_list_from_another_run_is_found(made: Made) -> None:
    made.rewrite("profiles__permissions", lambda rows: rows, run="other")
    assert "run: profiles run" in made.account()


def test_the_shares_of_nulls_are_those_of_the_lists_too(made: Made) -> None:
    shares = made.extract.nulls(DAY)
    assert shares["permissions.value"].value == 1
    assert shares["permissions.position"].value == 0
    assert "attributes.value" not in shares, "no rows, no share"


def test_to_explode_the_lists_of_a_table_that_is_there_changes_its_columns(
    made: Made, profiles_query: Query
) -> None:
    with pytest.raises(SchemaChanged, match=r"\+ permissions: list<"):
        require_columns(made.lake, profiles_query.tables, replaced=set(), policy=SchemaChanges.FROZEN)
