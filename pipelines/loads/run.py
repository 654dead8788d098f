"""A run that loads partitions of an asset's tables, each partition by itself."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack

import dagster as dg
import pyarrow as pa

from resources.errors import ExtractionError
from resources.failures import named_failures, raise_worst
from resources.lake import Lake
from resources.lake.place import Place, place_of
from resources.lake.publishing.published import Opened
from resources.schema_changes import SchemaChanges
from resources.warehouse.loaded_table import LoadedTable
from resources.warehouse.loading import Partition, Replacement
from resources.warehouse.resource import Warehouse
from resources.warehouse.stamps import Generation, rows_in


class LoadRun:
    """Loads the run's partitions; one that fails does not keep the others from being loaded."""

    def __init__(
        self,
        context: dg.AssetExecutionContext,
        lake: Lake,
        warehouse: Warehouse,
        tables: Sequence[LoadedTable],
        *,
        policy: SchemaChanges,
        force: bool,
    ) -> None:
        self._context = context
        self._lake = lake
        self._warehouse = warehouse
        self._tables = tables
        self._policy = policy
        self._force = force
        self._keys = {key.path[-1]: key for key in context.selected_asset_keys}
        self._recorded: list[dg.AssetMaterialization] = []

    def results(self) -> Iterator[dg.MaterializeResult[None]]:
        """Load all partitions; give a result for each selected table.

        Dagster records nothing of a step that fails, so what was loaded before is logged then.
        """
        try:
            with named_failures(self._context.instance, self._context.run.run_id):
                self._load_each()
        except BaseException:
            for event in self._recorded:
                self._context.log_event(event)
            raise
        for key in self._keys.values():
            yield dg.MaterializeResult(asset_key=key)

    def _load_each(self) -> None:
        failures: list[ExtractionError] = []
        say = self._context.log.error
        for place in self._places():
            try:
                self._load(place)
            except ExtractionError as failure:
                say(f"{place.folder}: {failure}".removeprefix(": "))
                failures.append(failure)
        raise_worst(failures)

    def _places(self) -> list[Place]:
        partitions = self._context.assets_def.partitions_def
        if partitions is None:
            return [Place()]
        return [place_of(key, partitions) for key in self._context.partition_keys]

    def _load(self, place: Place) -> None:
        """Load what is published of a partition; that is looked for when nobody else loads it."""
        selected = [table for table in self._tables if table.name in self._keys]
        sources = list(dict.fromkeys(table.flat.source for table in selected))
        value = place.column and place.column[1]
        run = self._context.run.run_id
        with (
            self._warehouse.replacing(
                self._tables, Partition(place.folder, value), run=run, policy=self._policy
            ) as replacement,
            ExitStack() as files,
        ):
            opened = self._lake.opened(place.folder, sources)
            for one in opened.values():
                files.enter_context(one.file)
            loaded = {table.name: self._replaced(replacement, table, opened, place) for table in selected}
        for name, metadata in loaded.items():
            self._record(name, place, metadata)

    def _replaced(
        self, replacement: Replacement, table: LoadedTable, opened: Mapping[str, Opened], place: Place
    ) -> dict[str, dg.MetadataValue]:
        """Replace a table's rows unless this generation of them is loaded; give what is recorded of it."""
        file, manifest = opened[table.flat.source]
        generation = Generation(manifest.generation, manifest.run)
        started, is_loaded = time.monotonic(), replacement.loaded.get(table.name) == generation
        if not is_loaded or self._force:
            rows = None if table.flat.lists else manifest.rows
            replacement.replace(table, self._batches(table, file, place), generation, rows=rows)
        rows = replacement.rows.get(table.name)
        if rows is None:
            rows = replacement.count(table)
        return {
            "dagster/row_count": dg.MetadataValue.int(rows_in(replacement.database, table.name)),
            "dagster/partition_row_count": dg.MetadataValue.int(rows),
            "rows": dg.MetadataValue.int(rows),
            "generation": dg.MetadataValue.int(manifest.generation),
            "was_loaded_before": dg.MetadataValue.bool(is_loaded and not self._force),
            "seconds": dg.MetadataValue.float(round(time.monotonic() - started, 3)),
            "warehouse": dg.MetadataValue.text(self._warehouse.name),
        }

    def _batches(self, table: LoadedTable, file: pa.NativeFile, place: Place) -> Iterator[pa.RecordBatch]:
        """Read a table's rows; a file that is damaged is named."""
        with self._lake.readable(table.flat.source, place.folder):
            yield from table.flat.batches(file)

    def _record(self, name: str, place: Place, metadata: Mapping[str, dg.MetadataValue]) -> None:
        key = self._keys[name]
        self._context.add_asset_metadata(metadata, asset_key=key, partition_key=place.key)
        event = dg.AssetMaterialization(key, partition=place.key, metadata=dict(metadata))
        self._recorded.append(event)
