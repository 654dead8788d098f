"""Partitions of an asset's run: each is published in the lake and recorded in Dagster by itself."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import dagster as dg
import pyarrow as pa

from resources.errors import ConfigurationError, ExtractionError
from resources.failures import named_failures, raise_worst
from resources.lake import Lake
from resources.lake.cancelled import cancelled_in
from resources.lake.figures import TableRows, published_metadata
from resources.lake.place import folder_of, window_of
from resources.lake.publishing.partition import PartitionWriter
from resources.lake.retention import days_kept, require_kept

# An output with this metadata has recorded its materializations itself: the only way in Dagster 1.13 to give
# the partitions of one step data versions of their own.
RECORDED = "__source_asset_observation__"
OBSERVED_LATE = timedelta(days=2)  # after its end, what an API shows is not the state of that day
VERSION_TAGS = ("dagster/data_version", "dagster/data_version_is_user_provided")
Checks = Callable[[Sequence[str | None]], Iterable[dg.AssetCheckEvaluation]]


@dataclass(slots=True)
class OpenPartition:
    """A partition while it is written; what is put into `metadata` is recorded with it.

    `version` is its data version: a digest of what it was made of. Without one Dagster makes one up.
    """

    key: str | None
    window: tuple[datetime, datetime] | None
    folder: str
    writer: PartitionWriter
    metadata: dict[str, dg.MetadataValue] = field(default_factory=dict)
    version: str | None = None

    @property
    def bounds(self) -> tuple[datetime, datetime]:
        """The start and the end of the partition's time window."""
        if self.window is None:
            raise ConfigurationError("this asset needs partitions by time")
        return self.window

    @property
    def end(self) -> datetime:
        """The end of the partition's time window; now, where it has none."""
        return self.window[1] if self.window else datetime.now(UTC)

    @property
    def age(self) -> timedelta:
        """The time since the end of the partition's time window; zero where it has none."""
        return datetime.now(UTC) - self.window[1] if self.window else timedelta(0)


class Publication:
    """What a run publishes of one asset.

    In a range run Dagster records nothing of a step that fails. So partitions that were published before
    the failure are logged then; without a failure they are recorded with the step's own event. Those with a
    data version are logged at once, as the step's event has one for all. `checks` evaluates what was
    published before a failure: the step of the checks does not run then.
    """

    def __init__(
        self, context: dg.AssetExecutionContext, lake: Lake, *, checks: Checks | None = None
    ) -> None:
        self._context = context
        self._lake = lake
        self._checks = checks
        self._recorded: list[dg.AssetMaterialization] = []
        self._logged = False
        self._rows: dict[str, TableRows] = {}

    @property
    def keys(self) -> Sequence[str | None]:
        """The run's partitions, in order; one None for an asset without partitions."""
        return [None] if self._context.assets_def.partitions_def is None else self._context.partition_keys

    @property
    def folders(self) -> set[str]:
        """The folders of the run's partitions, which it replaces."""
        return {folder_of(key, self._window(key)) for key in self.keys}

    @contextmanager
    def partition(
        self, key: str | None, schemas: Mapping[str, pa.Schema], *, footer: Mapping[str, str] | None = None
    ) -> Iterator[OpenPartition]:
        """Open one partition of some tables; it is published and recorded when the `with` ends well."""
        with self.failures(), self.open(key, schemas, footer=footer) as partition:
            yield partition

    def unpublished(self, table: str) -> list[str | None]:
        """The run's partitions, but for those that it has published before it was tried again."""
        published = {found.partition: found.run for found in self._lake.manifests(table)}
        run = self._context.run.run_id
        return [key for key in self.keys if published.get(folder_of(key, self._window(key))) != run]

    @contextmanager
    def apart(self) -> Iterator[Callable[..., AbstractContextManager[OpenPartition]]]:
        """Give what opens a partition; one that fails is said, ends no other, and is raised at the end."""
        failures: list[ExtractionError] = []
        say = self._context.log.error

        @contextmanager
        def attempt(key: str | None, schemas: Mapping[str, pa.Schema]) -> Iterator[OpenPartition]:
            try:
                with self.open(key, schemas) as partition:
                    yield partition
            except ExtractionError as failure:
                say(f"{key or ''}: {failure}".removeprefix(": "))
                failures.append(failure)

        with self.failures():
            yield attempt
            raise_worst(failures)

    @contextmanager
    def open(
        self,
        key: str | None,
        schemas: Mapping[str, pa.Schema],
        *,
        footer: Mapping[str, str] | None = None,
    ) -> Iterator[OpenPartition]:
        """Do as `partition`, within `failures`."""
        window = self._window(key)
        folder = folder_of(key, window)
        run = self._context.run.run_id
        is_cancelled = cancelled_in(self._context.instance, run)
        with self._lake.write(folder, schemas, run=run, footer=footer, is_cancelled=is_cancelled) as writer:
            partition = OpenPartition(key, window, folder, writer)
            yield partition
        name, schema = next(iter(schemas.items()))  # the asset's own table
        manifest = writer.manifests[name]
        rows = self._rows.setdefault(name, TableRows(self._lake, name)).after(manifest)
        declared = self._context.assets_def.metadata_by_key[self._context.asset_key]
        self._record(partition, published_metadata(manifest, schema, rows, declared))

    @contextmanager
    def failures(self) -> Iterator[None]:
        """Give failures their names in Dagster, after recording what was published before them."""
        with self._published_so_far(), named_failures(self._context.instance, self._context.run.run_id):
            self._require_kept()
            yield

    def _require_kept(self) -> None:
        asset, key = self._context.assets_def, self._context.asset_key
        name = key.to_user_string()
        days = days_kept(asset.metadata_by_key.get(key, {}), name)
        require_kept(name, self.keys, asset.partitions_def, days)

    def _window(self, key: str | None) -> tuple[datetime, datetime] | None:
        return None if key is None else window_of(key, self._context.assets_def.partitions_def)

    def _record(self, partition: OpenPartition, figures: Mapping[str, dg.MetadataValue]) -> None:
        metadata, version = {**partition.metadata, **figures}, partition.version
        event = dg.AssetMaterialization(
            self._context.asset_key,
            partition=partition.key,
            metadata=metadata,
            tags=dict(zip(VERSION_TAGS, (version, "true"), strict=True)) if version else None,
        )
        if version and len(self.keys) > 1:
            self._log(event)
            return
        if version:
            self._context.set_data_version(self._context.asset_key, dg.DataVersion(version))
        self._recorded.append(event)
        self._context.add_asset_metadata(metadata, partition_key=partition.key)

    def _log(self, event: dg.AssetMaterialization) -> None:
        self._context.log_event(event)
        if not self._logged:
            self._context.add_output_metadata({RECORDED: True})
        self._logged = True

    @contextmanager
    def _published_so_far(self) -> Iterator[None]:
        try:
            yield
        except BaseException as error:
            for event in self._recorded:
                self._context.log_event(event)
            self._check_recorded(error)
            raise

    def _check_recorded(self, error: BaseException) -> None:
        """Evaluate the checks, but not if the run is to end at once, nor before each retry of nothing."""
        ends_at_once = not isinstance(error, Exception)
        comes_again = isinstance(error, dg.RetryRequested) and not self._recorded
        if self._checks is None or ends_at_once or comes_again:
            return
        for found in self._checks([event.partition for event in self._recorded]):
            self._context.log_event(found)
