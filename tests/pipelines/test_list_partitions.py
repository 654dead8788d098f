"""Lists in partitions: what their window must be, and what is said of a list that changed."""

from collections.abc import Callable, Iterator
from pathlib import Path

import dagster as dg
import pytest

from pipelines.extraction import Extraction, ExtractPartition
from resources.graphql.query import Query
from resources.graphql_resource import GraphQLResource
from resources.lake import Lake
from tests.engine.public_lists import ListServer, row
from tests.engine.test_public_lists import load

DAILY = dg.DailyPartitionsDefinition("2026-11-01")
DAY = "2026-11-22"
WINDOWED = (
    "query ($a: String, $from: DateTime, $to: DateTime) { issues(after: $a, first: 5,"
    " filter: { updatedAt: { gte: $from, lt: $to } }) { nodes { id } pageInfo { endCursor hasNextPage } } }"
)


@pytest.fixture
def server() -> Iterator[ListServer]:
    with ListServer() as running:
        yield running


def run(
    server: ListServer,
    folder: Path,
    query: Query,
    variables: Callable[[ExtractPartition], object],
    partitions: dg.PartitionsDefinition | None = DAILY,
) -> dg.ExecuteInProcessResult:
    """Materialize a list's asset in this process, for a day if it has partitions."""
    api = GraphQLResource(url=server.url, page_size=5)

    @dg.asset(name="q", partitions_def=partitions)
    def q(context: dg.AssetExecutionContext) -> None:
        extraction = Extraction(context, Lake(path=str(folder)), query)
        for key in extraction.keys:
            with extraction.partition(key) as partition:
                for page in api.pages(query, variables=variables(partition)):  # type: ignore[arg-type]
                    partition.write(page)

    try:
        return dg.materialize([q], partition_key=DAY if partitions else None, raise_on_error=False)
    finally:
        api.close()


def failure(result: dg.ExecuteInProcessResult) -> str:
    (event,) = [event for event in result.all_events if event.is_step_failure]
    return event.step_failure_data.error.to_string()


def test_the_window_of_a_partition_is_asked_for(server: ListServer, tmp_path: Path) -> None:
    assert run(server, tmp_path, load(WINDOWED), lambda partition: partition.variables).success
    bounds = {(asked["from"], asked["to"]) for asked in server.asked}
    assert bounds == {("2026-11-22T00:00:00Z", "2026-11-23T00:00:00Z")}
    assert Lake(path=str(tmp_path)).read("q", f"date={DAY}").num_rows == 25


def test_a_window_that_is_not_used_is_refused(server: ListServer, tmp_path: Path) -> None:
    result = run(server, tmp_path, load(WINDOWED), lambda _: None)
    assert "q has a window, and it was not used: pages(Q, variables=partition.variables)" in failure(result)
    assert Lake(path=str(tmp_path)).manifest("q", f"date={DAY}") is None


@pytest.mark.parametrize("partitions", [None, dg.StaticPartitionsDefinition([DAY])])
def test_a_window_without_a_partition_in_time_is_refused(
    partitions: dg.PartitionsDefinition | None, server: ListServer, tmp_path: Path
) -> None:
    result = run(server, tmp_path, load(WINDOWED), lambda partition: partition.variables, partitions)
    assert "q has a window (from, to), so its asset needs partitions by time" in failure(result)
    assert server.asked == []


def test_a_query_without_a_window_has_no_variables(server: ListServer, tmp_path: Path) -> None:
    query = load("query ($o: Int) { customers(offset: $o, limit: 5) { total results { id } } }")
    assert run(server, tmp_path, query, lambda partition: partition.variables, None).success


def test_that_a_list_changed_is_in_the_partitions_metadata(server: ListServer, tmp_path: Path) -> None:
    server.shelf.changes = {3: lambda rows: rows.insert(0, row(900))}
    query = load("query ($o: Int) { customers(offset: $o, limit: 5) { total results { id } } }")
    result = run(server, tmp_path, query, lambda _: None)
    (event,) = result.asset_materializations_for_node("q")
    note, again = event.metadata["notes"].value  # type: ignore[union-attr, misc]
    assert "1 rows came again and were dropped" in str(again)
    assert "the list changed while it was read (its total went from 25 to 26" in str(note)
