"""The lake as Dagster's IO manager: inputs as frames by their annotation, returned frames as partitions."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, get_args, get_origin

import dagster as dg
from pydantic import Field

from resources.errors import LakeError, PartitionMissing
from resources.failures import named_failures
from resources.lake.cancelled import cancelled_in
from resources.lake.declared import COLUMN_SCHEMA, declared_schema
from resources.lake.figures import TableRows, published_metadata
from resources.lake.frames.kinds import frame_of, kind_of, supported
from resources.lake.frames.reader import dataset, named
from resources.lake.frames.returned import frames_of
from resources.lake.frames.table_writer import TableWriter
from resources.lake.place import Place, place_of, table_of
from resources.lake.resource import Lake
from resources.lake.retention import days_kept, require_kept


class LakeIOManager(dg.ConfigurableIOManager):
    """Reads partitions of any table in the lake as frames, and publishes what assets return.

    An input's metadata may have `columns` (those to be read), `table` (another table of the same extract,
    for example `profiles__lookups`) and `allow_missing_partitions`.
    """

    path: str = Field(description="The lake's folder on a local disk.")
    key_prefix: list[str] = Field([], description="What stands before the tables' names in all asset keys.")

    @property
    def lake(self) -> Lake:
        """The lake that the tables are in."""
        return Lake(path=self.path)

    def load_input(self, context: dg.InputContext) -> object:
        """Give the input's partitions in the form that its annotation asks for."""
        with _failures(context):
            each, kind = _annotated(context)
            places = self._places_there(context)
            if each:
                return {place.key: self._frame(context, [place], kind) for place in places}
            return self._frame(context, places, kind)

    def _frame(self, context: dg.InputContext, places: Sequence[Place], kind: str) -> object:
        table, folders = self._table(context), named([place.folder for place in places])
        wanted = context.definition_metadata.get("columns")
        opened = dataset(self.lake, table, places, columns=wanted, warn=context.log.warning)
        with self.lake.readable(table, folders):
            return frame_of(opened, kind)

    def _places_there(self, context: dg.InputContext) -> list[Place]:
        """Find the upstream partitions; what lacks is named, and left out only where that is allowed."""
        table = self._table(context)
        places = _places(context)
        there = [place for place in places if self.lake.manifest(table, place.folder)]
        missing = [place.key or "its only partition" for place in places if place not in there]
        if missing and (
            not context.definition_metadata.get("allow_missing_partitions") or len(missing) == len(places)
        ):
            raise PartitionMissing(
                f"{table} has no partition {named(missing)} in {self.lake.root}: materialize "
                f"{context.asset_key.to_user_string()} there first, or set allow_missing_partitions in the "
                "input's metadata to read those that are there"
            )
        if missing:
            context.log.warning(f"{table} is read without {named(missing)}: not materialized")
        if not places:
            raise PartitionMissing(f"{table} has no partition that this run depends on")
        return there

    def _table(self, context: dg.InputContext) -> str:
        return str(context.definition_metadata.get("table") or table_of(context.asset_key, self.key_prefix))

    def handle_output(self, context: dg.OutputContext, obj: object) -> Any:
        """Publish what an asset returned, a partition after the other, and record each.

        None is left alone where the asset declares no columns: it publishes by itself. A generator of events,
        as Dagster takes it, for the sake of a range run that fails midway.
        """
        with named_failures(context.step_context.instance, context.run_id):
            said = context.definition_metadata
            declares = said.get(COLUMN_SCHEMA)
            if obj is None and declares is None:
                return
            _require_asset(context)
            table = table_of(context.asset_key, self.key_prefix)
            places = _places(context)
            partitions = context.asset_partitions_def if context.has_asset_partitions else None
            days = days_kept(said, table)
            require_kept(table, [place.key for place in places], partitions, days)
            recorded: list[dg.AssetMaterialization] = []
            writer = TableWriter(
                self.lake,
                table,
                places,
                declared=declared_schema(declares, table),
                run=context.run_id,
                is_cancelled=cancelled_in(context.step_context.instance, context.run_id),
            )
            rows = TableRows(self.lake, table)
            try:
                for place, frame in frames_of(obj, places, table):
                    manifest, schema = writer.publish(frame, place)
                    metadata = published_metadata(
                        manifest, schema, rows.after(manifest), context.definition_metadata
                    )
                    recorded.append(_recorded(context, place, metadata))
            except BaseException:
                for event in recorded:  # Dagster records nothing of a step that fails
                    context.log_event(event)
                yield from context.consume_events()
                raise


def _recorded(
    context: dg.OutputContext, place: Place, metadata: dict[str, dg.MetadataValue]
) -> dg.AssetMaterialization:
    context.step_context.add_asset_metadata(metadata, asset_key=context.asset_key, partition_key=place.key)
    return dg.AssetMaterialization(context.asset_key, partition=place.key, metadata=metadata)


def _annotated(context: dg.InputContext) -> tuple[bool, str]:
    """Give whether the input is to be a dictionary by partition, and the kind of its frames."""
    _require_asset(context)
    annotation: Any = context.dagster_type.typing_type
    arguments = get_args(annotation)
    each = get_origin(annotation) is dict and len(arguments) == 2 and arguments[0] is str
    kind = kind_of(arguments[1] if each else annotation)
    if kind is None:
        raise LakeError(
            f"the input {context.name} is annotated with {annotation}, which the lake cannot be read as. "
            f"Annotate it with one of {supported()}; or dict[str, one of them], by partition"
        )
    if each and not context.has_asset_partitions:
        raise LakeError(f"the input {context.name} has no partitions: annotate it without dict[str, ...]")
    return each, kind


def _places(context: dg.InputContext | dg.OutputContext) -> list[Place]:
    """Find where the partitions of an asset in this run are."""
    if not context.has_asset_partitions:
        return [Place()]
    partitions = context.asset_partitions_def
    return [place_of(key, partitions) for key in context.asset_partition_keys]


def _require_asset(context: dg.InputContext | dg.OutputContext) -> None:
    if not context.has_asset_key:
        raise LakeError(
            f"{context.name} is not of an asset, and the lake holds the tables of assets: give it another IO "
            'manager, for example io_manager_key="mem_io_manager"'
        )


@contextmanager
def _failures(context: dg.InputContext) -> Iterator[None]:
    """Map our errors to Dagster's in a run; in a notebook (`defs.load_asset_value`) they stay."""
    try:
        step = context.step_context
    except dg.DagsterInvariantViolationError:
        yield
        return
    with named_failures(step.instance, step.run_id):
        yield
