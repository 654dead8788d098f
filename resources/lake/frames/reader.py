"""Partitions of a table as one pyarrow dataset, the partition's own column included."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pyarrow.types as pt

from resources.errors import LakeError
from resources.lake.place import Place
from resources.lake.resource import Lake


def dataset(
    lake: Lake,
    table: str,
    places: Sequence[Place],
    *,
    columns: Sequence[str] | None = None,
    warn: Callable[[str], object],
) -> Any:
    """Open partitions of a table, checked as `Lake.open` does; their files stay open, so that a partition
    that is replaced meanwhile is still read as it was.
    """
    import pyarrow.dataset as pads

    files = [lake.open(table, place.folder) for place in places]
    schemas = {
        place.folder: pq.read_schema(file).remove_metadata()
        for place, file in zip(places, files, strict=True)
    }
    schema = one_schema(table, schemas, warn)
    fragments, own = [], set(schema.names)
    for place, file in zip(places, files, strict=True):
        guarantee = None
        if place.column and place.column[0].name not in own:
            field, value = place.column
            guarantee = pads.field(field.name) == value
            schema = schema if field.name in schema.names else schema.append(field)
        fragments.append(pads.ParquetFileFormat().make_fragment(file, partition_expression=guarantee))
    return pads.FileSystemDataset(fragments, _chosen(table, schema, columns), pads.ParquetFileFormat())


def one_schema(table: str, schemas: Mapping[str, pa.Schema], warn: Callable[[str], object]) -> pa.Schema:
    """Give the columns of all partitions, in the order of the last.

    Their types must not differ, but for fields of structs that some partitions lack, which are null there.
    """
    fields: dict[str, tuple[pa.Field, str]] = {}
    for folder, schema in reversed(list(schemas.items())):
        for field in schema:
            known, where = fields.setdefault(field.name, (field, folder))
            both = one_type(known.type, field.type)
            if both is None:
                raise LakeError(
                    f"{table}.{field.name} is {known.type} in {where} and {field.type} in {folder}: run the "
                    "older partition again, or read them apart (dict[str, ...]) or without it (columns)"
                )
            fields[field.name] = (known.with_type(both), where)
    for name in fields:
        absent = [folder for folder, schema in schemas.items() if name not in schema.names]
        if absent:
            warn(f"{table}.{name} is not in {named(absent)}: it is null there")
    return pa.schema([field for field, _ in fields.values()])


def one_type(newer: pa.DataType, older: pa.DataType) -> pa.DataType | None:
    """Give the type that both can be read as without a change of a value; None where there is none."""
    if newer == older:
        return newer
    if pt.is_struct(newer) and pt.is_struct(older):
        fields: dict[str, pa.Field] = {field.name: field for field in newer}
        for field in older:
            known = fields.get(field.name, field)
            both = one_type(known.type, field.type)
            if both is None:
                return None
            fields[field.name] = known.with_type(both)
        return pa.struct([field.with_nullable(True) for field in fields.values()])
    if pt.is_list(newer) and pt.is_list(older):
        item = one_type(newer.value_type, older.value_type)
        return item and pa.list_(item)
    return None


def _chosen(table: str, schema: pa.Schema, columns: Sequence[str] | None) -> pa.Schema:
    if columns is None:
        return schema
    unknown = [name for name in columns if name not in schema.names]
    if unknown:
        raise LakeError(f"{table} has no column {', '.join(unknown)}; it has {', '.join(schema.names)}")
    return pa.schema([schema.field(name) for name in columns])


def named(items: Sequence[str], shown: int = 5) -> str:
    """Name a few of many."""
    more = f" and {len(items) - shown} more" if len(items) > shown else ""
    return ", ".join(items[:shown]) + more
