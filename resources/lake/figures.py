"""What Dagster records of a published partition."""

from collections.abc import Mapping
from datetime import UTC, datetime

import dagster as dg
import pyarrow as pa

from resources.errors import LakeError
from resources.lake.declared import COLUMN_LINEAGE, COLUMN_SCHEMA, table_schema
from resources.lake.publishing.manifest import Manifest
from resources.lake.resource import Lake


class TableRows:
    """Counts the rows of a table: what is published is looked up once, then followed along with a run."""

    def __init__(self, lake: Lake, table: str) -> None:
        self._lake, self._table = lake, table
        self._partitions: dict[str, int] | None = None

    def after(self, manifest: Manifest) -> int | None:
        """Give the rows of all partitions once this one is published; None where another is damaged."""
        if self._partitions is None:
            try:
                published = self._lake.manifests(self._table)
            except LakeError:  # which is no reason to record nothing of this one
                return None
            self._partitions = {each.partition: each.rows for each in published}
        self._partitions[manifest.partition] = manifest.rows
        return sum(self._partitions.values())


def published_metadata(
    manifest: Manifest, schema: pa.Schema, rows: int | None, declared: Mapping[str, object]
) -> dict[str, dg.MetadataValue]:
    """Give the metadata of a partition of a table that has so many rows in all.

    Dagster plots the numbers over partitions, and shows `dagster/row_count` as that of the asset. Dagster+
    draws the lineage of what was materialized last, so the `declared` one goes with it.
    """
    return {
        **_lineage(declared.get(COLUMN_LINEAGE)),
        **({"dagster/row_count": dg.MetadataValue.int(rows)} if rows is not None else {}),
        "dagster/partition_row_count": dg.MetadataValue.int(manifest.rows),
        COLUMN_SCHEMA: dg.MetadataValue.table_schema(table_schema(schema)),
        "rows": dg.MetadataValue.int(manifest.rows),
        "file_bytes": dg.MetadataValue.int(manifest.bytes),
        "generation": dg.MetadataValue.int(manifest.generation),
        "observed_at": dg.MetadataValue.timestamp(datetime.now(UTC)),
    }


def _lineage(declared: object) -> dict[str, dg.MetadataValue]:
    if isinstance(declared, dg.TableColumnLineageMetadataValue):
        return {COLUMN_LINEAGE: declared}
    if isinstance(declared, dg.TableColumnLineage):
        return {COLUMN_LINEAGE: dg.MetadataValue.column_lineage(declared)}
    return {}
