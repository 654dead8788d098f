"""A line of a test: an asset that publishes what it is told to, and Dagster's runs of its loads."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pyarrow as pa

from pipelines.loads import warehouse_loads
from resources.graphql.tables import FETCHED_AT
from resources.lake import Lake
from resources.lake.place import Place, place_of
from resources.schema_changes import SchemaChanges
from resources.warehouse.flat import flat_tables
from tests.warehouse.warehouse_targets import Rows, Target

MAIN, LIST = "people", "people__tags"
TAG = pa.struct([("name", pa.string()), ("weight", pa.int64())])
SCHEMA = pa.schema([("id", pa.string()), ("n", pa.int64()), ("tags", pa.list_(TAG)), FETCHED_AT])
AT = datetime(2026, 11, 23, 5, tzinfo=UTC)
DAILY = dg.DailyPartitionsDefinition("2026-11-01")
DAYS = ["2026-11-21", "2026-11-22"]


def people(*ids: str, n: int = 0, at: datetime = AT) -> pa.Table:
    """Make rows; each has as many tags as its identity has letters."""
    tags = [[{"name": letter, "weight": n} for letter in id_] for id_ in ids]
    rows = [{"id": id_, "n": n, "tags": own, "fetched_at": at} for id_, own in zip(ids, tags, strict=True)]
    return pa.Table.from_pylist(rows, schema=SCHEMA)


class Line:
    """The lake, the asset `people`, its loads, and the instance that knows what was run."""

    def __init__(
        self,
        folder: Path,
        target: Target,
        instance: dg.DagsterInstance,
        *,
        partitions: dg.PartitionsDefinition | None = DAILY,
        schema: pa.Schema = SCHEMA,
        policy: SchemaChanges = SchemaChanges.FROZEN,
    ) -> None:
        self.lake = Lake(path=str(folder / "lake"))
        self.target, self.instance, self.partitions, self.schema = target, instance, partitions, schema
        self.wait_seconds = 30.0

        @dg.asset(name=MAIN, partitions_def=partitions, description="One row per person.")
        def published() -> None: ...

        self.asset = published
        self.loads = warehouse_loads(
            published,
            flat_tables(MAIN, schema, ["id"]),
            schema_changes=policy,
            backfill_policy=dg.BackfillPolicy.single_run(),
        )

    def folder(self, key: str | None) -> str:
        if key is None or self.partitions is None:
            return Place().folder
        return place_of(key, self.partitions).folder

    def publish(self, key: str | None, rows: pa.Table, *, run: str = "extract-1") -> None:
        """Publish a partition in the lake."""
        with self.lake.write(self.folder(key), {MAIN: rows.schema}, run=run) as writer:
            writer.write({MAIN: rows})

    def load(
        self, *keys: str, force: bool = False, select: Sequence[str] = (), check: bool = True
    ) -> dg.ExecuteInProcessResult:
        """Run the loads of a partition, or of a range; of some tables only, if any are selected."""
        ends = {"start": keys[0], "end": keys[-1]} if len(keys) > 1 else {}
        return dg.materialize(
            [self.asset, self.loads],
            selection=[dg.AssetKey(["warehouse", name]) for name in select or self.tables],
            instance=self.instance,
            resources={
                "lake": self.lake,
                "warehouse": self.target.warehouse(wait_seconds=self.wait_seconds),
            },
            partition_key=keys[0] if len(keys) == 1 else None,
            tags={f"dagster/asset_partition_range_{name}": key for name, key in ends.items()},
            run_config={"ops": {"load_people": {"config": {"force": force}}}},
            raise_on_error=check,
        )

    @property
    def tables(self) -> list[str]:
        return [key.path[-1] for key in self.loads.keys]

    def rows(self, table: str = MAIN) -> Rows:
        """Give all rows of a table, in the order of their columns' names."""
        columns = sorted(f'"{name}"' for name in self._columns(table))
        return self.target.rows(f'SELECT {", ".join(columns)} FROM "{table}" ORDER BY {", ".join(columns)}')

    def ids(self, table: str = MAIN) -> list[str]:
        return [id_ for (id_,) in self.target.rows(f'SELECT id FROM "{table}" ORDER BY id')]

    def _columns(self, table: str) -> list[str]:
        return list(self.target.arrow(f'SELECT * FROM "{table}" LIMIT 0').column_names)


def recorded(
    made: Line, result: dg.ExecuteInProcessResult
) -> dict[tuple[str, str | None], dict[str, object]]:
    """Give what a run recorded of each table's partition; once for each."""
    logs = made.instance.all_logs(result.run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION)
    found: dict[tuple[str, str | None], dict[str, object]] = {}
    for log in logs:
        materialization = log.asset_materialization
        assert materialization
        place = (materialization.asset_key.path[-1], materialization.partition)
        assert place not in found, "one event a partition"
        found[place] = {name: value.value for name, value in materialization.metadata.items()}
    return found


def failure(result: dg.ExecuteInProcessResult) -> str:
    """Give the words that a failed step ended with."""
    (event,) = [event for event in result.all_events if event.is_step_failure]
    assert event.step_failure_data.error
    return event.step_failure_data.error.to_string()
