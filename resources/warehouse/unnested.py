"""Structs taken apart: their fields become columns `<struct>_<field>`, also in the objects of lists."""

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.types as pt


def unnested_schema(schema: pa.Schema) -> pa.Schema:
    """Give the columns of a table without structs, but for those that lists are of."""
    return pa.schema(list(_fields(schema)))


def unnested(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """Take the structs of a batch apart; `schema` is its `unnested_schema`."""
    arrays = [array for column in batch.columns for array in _arrays(column)]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _fields(fields: pa.Schema | pa.StructType) -> Iterator[pa.Field]:
    for field in fields:
        if pt.is_struct(field.type):
            for below in _fields(field.type):
                yield below.with_name(f"{field.name}_{below.name}")
        else:
            yield pa.field(field.name, _type(field.type))


def _type(type_: pa.DataType) -> pa.DataType:
    if not pt.is_list(type_):
        return type_
    item = type_.value_type
    return pa.list_(pa.struct(list(_fields(item))) if pt.is_struct(item) else _type(item))


def _arrays(array: pa.Array) -> Iterator[pa.Array]:
    if pt.is_struct(array.type):
        for below in array.flatten():  # null where the struct is
            yield from _arrays(below)
    else:
        yield _lists(array)


def _lists(array: pa.Array) -> pa.Array:
    """Take apart what lists are of; a list that is null stays so."""
    type_ = _type(array.type)
    if type_ == array.type:
        return array
    lists = pa.concat_arrays([array]) if array.offset else array
    items = _items(lists.values)
    return pa.ListArray.from_arrays(lists.offsets, items, type=type_, mask=lists.is_null())


def _items(items: pa.Array) -> pa.Array:
    if not pt.is_struct(items.type):
        return _lists(items)
    fields = list(_fields(items.type))
    arrays = [array for below in items.flatten() for array in _arrays(below)]
    return pa.StructArray.from_arrays(arrays, fields=fields, mask=items.is_null())
