"""What Dagster records of a published partition."""

from datetime import UTC, datetime

import dagster as dg
import pyarrow as pa

from resources.lake.declared import COLUMN_SCHEMA, table_schema
from resources.lake.manifest import Manifest


def published(manifest: Manifest, schema: pa.Schema) -> dict[str, dg.MetadataValue]:
    """Give the metadata of a partition of a table; Dagster plots the numbers over partitions."""
    return {
        "dagster/partition_row_count": dg.MetadataValue.int(manifest.rows),
        COLUMN_SCHEMA: dg.MetadataValue.table_schema(table_schema(schema)),
        "rows": dg.MetadataValue.int(manifest.rows),
        "file_bytes": dg.MetadataValue.int(manifest.bytes),
        "generation": dg.MetadataValue.int(manifest.generation),
        "observed_at": dg.MetadataValue.timestamp(datetime.now(UTC)),
    }
