"""What a backfill would cost is said before it: of what is there, of the last runs, and never invented."""

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import dagster as dg
import pyarrow as pa
import pytest

from pipelines.extraction import Extraction
from pipelines.plan.backfill import Plan, plan_backfill
from pipelines.plan.budget import Budget
from pipelines.plan.chosen import ChosenKeys, Day
from pipelines.plan.costs import Span
from pipelines.plan.extracts import find_extract, planned_partitions
from pipelines.plan.seen import RECORDS, open_instance, seen_runs
from pipelines.plan.wording import text
from resources.errors import ConfigurationError, OverBudget
from resources.graphql.query import Query
from resources.graphql.sending.settings import OVER_BUDGET
from resources.graphql_resource import GraphQLResource
from resources.lake import Lake
from tests.bookshop import ITEMS, SCHEMA, TORN, Bookshop

HOURLY = dg.HourlyPartitionsDefinition("2026-11-22-00:00", end_date="2026-11-22-05:00")
DAILY = dg.DailyPartitionsDefinition("2026-11-01", end_date="2026-11-06")
RANGE = ("dagster/asset_partition_range_start", "dagster/asset_partition_range_end")
DAYS = ["2026-11-01", "2026-11-02", "2026-11-03", "2026-11-04", "2026-11-05"]
ITEM = "query ($item_id: ID!) { item(item_id: $item_id) { title } }"
LIST = (
    "query ($first: Int, $after: String) { items(first: $first, after: $after) {"
    " nodes { item_id title } page_info { has_next_page end_cursor } } }"
)


def parse(text: str, name: str) -> Query:
    return Query.parse(text, schema=SCHEMA, path=f"{name}.graphql", name=name)


THINGS, PICKED, LISTED = parse(ITEM, "things"), parse(ITEM, "picked"), parse(LIST, "listed")
PAIRS = dg.BackfillPolicy.multi_run(2)


@dg.asset(partitions_def=DAILY)
def item_keys() -> None:
    """One row per item of the day; the tests write it."""


@dg.asset(deps=["item_keys"], partitions_def=DAILY, backfill_policy=PAIRS, pool="shop")
def things(context: dg.AssetExecutionContext, graphql: GraphQLResource, lake: Lake) -> None:
    """One row per item that is found."""
    with Extraction(context, lake, THINGS).range() as days:
        for page in graphql.pages(THINGS, keys=days.keys("item_keys"), resume=days.resume):
            days.write(page)


@dg.asset(deps=["item_keys"], partitions_def=DAILY)
def picked(context: dg.AssetExecutionContext, graphql: GraphQLResource, lake: Lake) -> None:
    """One row per item, of the first two of the day."""
    extraction = Extraction(context, lake, PICKED)
    for key in extraction.keys:
        with extraction.partition(key) as day:
            for page in graphql.pages(PICKED, keys=first_two(lake, {key or "": day})[key or ""]):
                day.write(page)


def first_two(lake: Lake, days: Mapping[str, Day]) -> dict[str, pa.Table]:
    return {key: lake.read("item_keys", day.folder).slice(0, 2) for key, day in days.items()}


@dg.asset
def listed(context: dg.AssetExecutionContext, graphql: GraphQLResource, lake: Lake) -> None:
    """One row per item, all there are."""
    with Extraction(context, lake, LISTED).partition(None) as whole:
        for page in graphql.pages(LISTED, resume=whole.resume):
            whole.write(page)


@dg.asset(partitions_def=HOURLY)
def unqueried(graphql: GraphQLResource) -> None:
    """Ask for something that its module does not say."""


DEFINITIONS = dg.Definitions(
    assets=[item_keys, things, picked, listed, unqueried],
    resources={"graphql": GraphQLResource(url="http://127.0.0.1:9"), "lake": Lake(path="/no/lake")},
)


@pytest.fixture
def shop() -> Iterator[Bookshop]:
    with Bookshop(open_to_all=True) as running:
        yield running


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as opened:
        yield opened


@pytest.fixture
def lake(memory: Path) -> Lake:
    return Lake(path=str(memory / "lake"))


Make = Callable[..., None]
Planned = Callable[..., Plan]


@pytest.fixture
def make(shop: Bookshop, lake: Lake, instance: dg.DagsterInstance) -> Make:
    """Run an asset, of a day or of a range of them."""

    def made(asset: dg.AssetsDefinition, *days: str, **settings: object) -> None:
        api = GraphQLResource(url=shop.url, **settings)
        key = days[0] if len(days) == 1 else None
        tags = dict(zip(RANGE, days, strict=True)) if len(days) == 2 else {}
        resources = {"graphql": api, "lake": lake}
        done = dg.materialize([asset], partition_key=key, resources=resources, instance=instance, tags=tags)
        assert done.success

    return made


@pytest.fixture
def planned(lake: Lake, instance: dg.DagsterInstance) -> Planned:
    def made(name: str, first: str | None = None, last: str | None = None) -> Plan:
        extract = find_extract(DEFINITIONS, name)
        partitions = planned_partitions(extract, first, last, instance)
        return plan_backfill(extract, partitions, lake=lake, instance=instance)

    return made


def publish(lake: Lake, keys: Mapping[str, list[str]]) -> None:
    """Write days of keys."""
    schema = pa.schema([("item_id", pa.string())])
    for day, of_day in keys.items():
        with lake.write(f"date={day}", {"item_keys": schema}, run="test") as writer:
            writer.write({"item_keys": pa.table({"item_id": of_day}, schema=schema)})


def test_keys_are_counted_a_partition_a_run_and_in_all(lake: Lake, planned: Planned) -> None:
    publish(lake, dict(zip(DAYS[:3], (["1", "2", "3"], ["3", "4"], ["1", "4"]), strict=True)))
    plan = planned("things", DAYS[0], DAYS[2])
    assert [(found.key, found.keys, found.origin) for found in plan.partitions] == [
        (DAYS[0], 3, "lake"),
        (DAYS[1], 2, "lake"),
        (DAYS[2], 2, "lake"),
    ]
    lookups = {way: (costs.runs, costs.lookups) for way, costs in plan.ways.items()}
    assert lookups == {"a_run_a_partition": (3, 7), "as_configured": (2, 6), "one_run": (1, 4)}
    assert plan.keys_from == "item_keys"


def test_where_nothing_has_run_there_are_bounds_only(lake: Lake, planned: Planned) -> None:
    publish(lake, {DAYS[0]: [str(n) for n in range(250)]})
    plan = planned("things", DAYS[0], DAYS[0])
    costs = plan.configured
    assert (costs.requests, costs.bounds, costs.seconds) == (None, Span(3, 250), None)
    assert costs.renewals == Span(0, 0), "another API has one token, or none"
    assert ["at", "least,", "at", "most", "3", "to", "250"] in [
        line.split() for line in text(plan).splitlines()
    ]
    assert "No run of things that asked anything is recorded" in text(plan)


def test_a_partition_whose_keys_are_not_there_is_named_and_never_zero(lake: Lake, planned: Planned) -> None:
    publish(lake, {DAYS[0]: ["1"], DAYS[2]: ["1", "2"]})
    plan = planned("things", DAYS[0], DAYS[2])
    assert [found.key for found in plan.unknown] == [DAYS[1]]
    said = text(plan)
    assert f"{DAYS[1]}: unknown, item_keys has no partition date={DAYS[1]}" in said
    assert "materialize item_keys first" in said
    assert "lookups              at least 3" in said
    assert "in none of the figures" in said
    Budget(lookups=None, requests=None).require(plan)
    with pytest.raises(OverBudget, match="partitions with unknown keys: 1"):
        Budget(lookups=100, requests=None).require(plan)
    nothing = planned("things", DAYS[3], DAYS[4])
    assert (nothing.configured.lookups, nothing.configured.requests) == (None, None)
    assert "keys: unknown (partitions: 2 unknown)" in text(nothing)


def test_the_figures_are_those_of_the_last_runs(
    lake: Lake, planned: Planned, make: Make, shop: Bookshop
) -> None:
    publish(lake, {day: [str(n) for n in range(40)] for day in DAYS})
    make(things, DAYS[0], max_batch=1)
    plan = planned("things", DAYS[0], DAYS[3])
    assert plan.configured.requests == Span(80, 80), "two runs of two days with the same keys"
    assert [found.published_at is not None for found in plan.partitions] == [True, False, False, False]
    with pytest.raises(OverBudget, match="about 80 requests are 1 more than 79"):
        Budget(lookups=None, requests=79).require(plan)
    (run,) = plan.seen
    assert (run.partitions, run.lookups, run.requests) == (1, 40, 40)
    seconds = plan.ways["a_run_a_partition"].seconds
    assert seconds is not None
    assert seconds.low == pytest.approx(run.seconds * 4)
    make(things, DAYS[1], DAYS[2])
    of_range, earlier = planned("things").seen
    assert (of_range.partitions, of_range.lookups, earlier) == (2, 40, run)
    assert len(shop.documents) == of_range.requests + earlier.requests
    few = planned("things").configured.requests
    assert few == Span(of_range.requests, 40)
    assert f"Figures of run {of_range.run_id[:8]}" in text(planned("things"))


def test_a_rest_that_was_asked_for_says_nothing_of_the_rate(lake: Lake, planned: Planned, make: Make) -> None:
    publish(lake, {DAYS[0]: [str(n) for n in range(40)], DAYS[1]: ["1"], DAYS[2]: []})
    for day in DAYS[:3]:
        make(things, day)
    assert [run.lookups for run in planned("things").seen] == [40]


def test_where_only_far_smaller_runs_were_seen_bounds_are_shown(
    lake: Lake, planned: Planned, make: Make
) -> None:
    publish(lake, {DAYS[0]: ["1", "2", "3"], DAYS[1]: [str(n) for n in range(250)]})
    make(things, DAYS[0], max_batch=1)
    plan = planned("things", DAYS[0], DAYS[1])
    said = text(plan)
    assert (
        "These runs are too small for 2 partitions a run (as set), a run a partition, all in one run" in said
    )
    assert ["requests", "3 to 250", "4 to 253", "3 to 250"] in [
        re.split(" {2,}", line) for line in said.splitlines()
    ]
    assert ["time of asking", *["unknown"] * 3] in [re.split(" {2,}", line) for line in said.splitlines()]
    Budget(lookups=None, requests=250).require(plan)
    with pytest.raises(OverBudget, match="up to 250 requests are 1 more than 249; run a tenth of it first"):
        Budget(lookups=None, requests=249).require(plan)
    assert "too small" not in text(planned("things", DAYS[0], DAYS[0]))


def record(instance: dg.DagsterInstance, days: int, figures: Mapping[str, float]) -> str:
    """Record days in a run; give its id."""

    @dg.op(out=dg.Out(dg.Nothing))
    def recording(context: dg.OpExecutionContext) -> None:
        for day in range(days):
            figures_of_day = {"rows": 10, **figures}
            context.log_event(
                dg.AssetMaterialization(things.key, partition=str(day), metadata=figures_of_day)
            )

    @dg.job
    def days_of_things() -> None:
        recording()

    return days_of_things.execute_in_process(instance=instance).run_id


def test_a_run_of_more_partitions_than_are_looked_through_has_all_of_them(
    instance: dg.DagsterInstance,
) -> None:
    days = RECORDS + 50
    shared = {"range_requests": days * 10, "range_lookups": days * 100, "range_seconds": 60.0}
    record(instance, days, {**shared, "range_partitions": days})
    (run,) = seen_runs(instance, things.key)
    assert (run.partitions, run.requests, run.lookups, run.rows) == (days, days * 10, days * 100, days * 10)


def test_a_run_of_which_a_part_only_is_looked_through_does_not_count(instance: dg.DagsterInstance) -> None:
    figures = {"requests": 10, "lookups": 100, "seconds": 1.0}
    record(instance, RECORDS, figures)
    last = record(instance, 20, figures)
    assert [(run.run_id, run.partitions) for run in seen_runs(instance, things.key)] == [(last, 20)]


def test_a_list_is_planned_by_its_last_runs(planned: Planned, make: Make, shop: Bookshop) -> None:
    before = planned("listed")
    assert (before.configured.requests, before.configured.lookups) == (None, None)
    with pytest.raises(OverBudget, match="is not known before it has run once"):
        Budget(lookups=None, requests=1000).require(before)
    make(listed)
    plan = planned("listed")
    assert plan.configured.requests == Span(len(shop.documents), len(shop.documents))
    assert plan.rows_per_partition == (len(ITEMS), len(ITEMS))
    assert plan.unknown == []
    assert "keys: none, it reads a list" in text(plan)
    assert f"Rows of a partition: {len(ITEMS)}" in text(plan)


def test_an_extract_that_asks_other_keys_than_its_table_has_is_not_guessed(
    lake: Lake, planned: Planned, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(lake, {day: ["1", "2", "3", "4"] for day in DAYS})
    assert planned("picked").configured.lookups == 4
    make(picked, DAYS[0])
    assert "picked has asked 2 keys in date=2026-11-01, where item_keys has 4" in text(planned("picked"))
    publish(lake, {DAYS[0]: ["1"]})
    assert planned("picked").unknown == [], (
        "the keys are newer than what was asked, which says nothing of them"
    )
    monkeypatch.setitem(globals(), "keys_of_picked", ChosenKeys(PICKED, first_two))
    plan = planned("picked", DAYS[0])
    assert (plan.configured.lookups, plan.ways["one_run"].lookups) == (9, 2)
    assert "9, as the extract chooses them now" in text(plan)


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        ((None, None), DAYS[-1:]),
        ((DAYS[2], None), DAYS[2:]),
        ((None, DAYS[1]), DAYS[:2]),
        ((DAYS[1], DAYS[1]), DAYS[1:2]),
    ],
)
def test_without_an_end_it_is_the_newest_or_the_oldest(
    chosen: tuple[str | None, str | None], expected: list[str], planned: Planned
) -> None:
    assert [found.key for found in planned("things", *chosen).partitions] == expected


def test_what_does_not_fit_is_said_with_what_does(planned: Planned) -> None:
    for arguments, reason in {
        ("thing",): "thing: there is no such extract; the extracts are listed, picked, things, unqueried",
        ("item_keys",): "item_keys: it asks no API, so it costs no requests; the extracts are",
        ("things", "2026-10-31"): "--from 2026-10-31 is no partition of things: they go from 2026-11-01 to",
        ("things", DAYS[1], DAYS[0]): "--from 2026-11-02 is later than --to 2026-11-01",
        ("listed", DAYS[1]): "listed has no partitions: leave --from and --to out",
        ("unqueried", "2026-11-22-01:00"): "there is no query of this name in its module",
    }.items():
        with pytest.raises(ConfigurationError) as error:
            planned(*arguments)
        assert reason in str(error.value)


def test_a_budget_says_by_how_much_it_is_passed_and_what_would_fit(lake: Lake, planned: Planned) -> None:
    publish(lake, {day: [str(n) for n in range(200)] for day in DAYS[:4]})
    plan = planned("things", DAYS[0], DAYS[3])
    Budget(lookups=400, requests=400).require(plan)
    for budget, reason in {
        Budget(lookups=399, requests=None): r"400 lookups are 1 more than 399 \(in one run it is 200\)",
        Budget(lookups=199, requests=None): r"400 lookups are 201 more than 199\. Choose fewer",
        Budget(lookups=None, requests=399): "up to 400 requests are 1 more than 399; run one partition first",
        Budget(lookups=None, requests=3): "up to 400 requests are 397 more than 3",
    }.items():
        with pytest.raises(OverBudget, match=reason):
            budget.require(plan)


def test_a_run_over_the_budget_asks_nothing_unless_it_is_tagged(
    lake: Lake, make: Make, shop: Bookshop, instance: dg.DagsterInstance
) -> None:
    publish(lake, {DAYS[0]: ["1", "2", "3"]})
    api = GraphQLResource(url=shop.url, budget_lookups=2)
    options = {"partition_key": DAYS[0], "resources": {"graphql": api, "lake": lake}, "instance": instance}
    refused = dg.materialize([things], raise_on_error=False, **options)
    (failure,) = [event for event in refused.all_events if event.is_step_failure]
    said = failure.step_failure_data.error.to_string()
    assert "things would look up 3 keys, 1 more than the budget of 2" in said
    assert (shop.documents, lake.manifest("things", f"date={DAYS[0]}")) == ([], None)
    assert dg.materialize([things], tags={OVER_BUDGET: "true"}, **options).success
    assert len(lake.read("things__lookups", f"date={DAYS[0]}")) == 3


def test_what_an_earlier_run_has_left_is_not_in_the_budget_of_the_next(
    lake: Lake, shop: Bookshop, instance: dg.DagsterInstance
) -> None:
    publish(lake, {DAYS[0]: ["1", "2", TORN]})
    asked = []
    for budget in (None, 1):
        api = GraphQLResource(url=shop.url, budget_lookups=budget)
        resources = {"graphql": api, "lake": lake}
        options = {"resources": resources, "instance": instance, "raise_on_error": False}
        assert not dg.materialize([things], partition_key=DAYS[0], **options).success
        asked.append(len(shop.documents))
    assert 0 < asked[0] < asked[1], "the key that failed is asked again, alone"


def test_without_an_instance_it_says_which_is_meant(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAGSTER_HOME", "/no/home")
    with pytest.raises(ConfigurationError, match="no Dagster instance at /no/home: set DAGSTER_HOME"):
        open_instance()
