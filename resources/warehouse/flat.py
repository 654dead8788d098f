"""Tables of the lake as flat ones: structs taken apart, and each list a table of its own.

The main table has the lake's name. A list has `<table>__<list>`, a row for each element: the identity of the
row that it is of, the element's position, its fields, and `fetched_at`. Arrow makes them, batch by batch.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pyarrow.types as pt
from graphql import GraphQLError

from resources.errors import AccountingError, ConfigurationError, ValueMisfit
from resources.graphql.child_table import ChildTable
from resources.graphql.children import EVERY, apart, child_tables
from resources.graphql.tables import FETCHED_AT
from resources.warehouse.unnested import unnested, unnested_schema

BATCH_ROWS = 65_536  # of the lake's table that are held at a time


@dataclass(frozen=True, slots=True, kw_only=True)
class FlatTable:
    """A table of the warehouse, made of the lake's table `source`.

    `keys` are the columns that tell what a row is of, or is an element of; without any there is no newest row
    of something. `main` is the table whose rows those of a list belong to. `origins` maps each column to that
    of `source`. `lists` is the way down to the list; it is empty for the main table.
    """

    name: str
    source: str
    schema: pa.Schema
    keys: tuple[str, ...]
    main: str
    origins: Mapping[str, str]
    read: pa.Schema
    lists: tuple[ChildTable, ...] = ()

    def batches(self, file: pa.NativeFile) -> Iterator[pa.RecordBatch]:
        """Read a partition's file of `source` as rows of this table; a column that it lacks is null."""
        parquet = pq.ParquetFile(file)
        there = [name for name in self.read.names if name in parquet.schema_arrow.names]
        flat = unnested_schema(self.read)
        for batch in parquet.iter_batches(BATCH_ROWS, columns=there):
            rows = pa.Table.from_batches([unnested(_filled(self.source, batch, self.read), flat)])
            for child in self.lists:
                rows = self._taken_apart(child, rows)
            self._require_keys(rows)
            yield from rows.select(self.schema.names).combine_chunks().to_batches()

    def _taken_apart(self, child: ChildTable, parents: pa.Table) -> pa.Table:
        """Give a row for each element of the parents' lists, and count them once more."""
        rows, way = child.rows(parents), ".".join(child.path)
        elements = pc.sum(pc.list_value_length(parents[child.path[-1]])).as_py() or 0
        if rows.num_rows != elements:
            raise AccountingError(
                f"{self.source}: the lists {way} have {elements:,} elements, and {rows.num_rows:,} rows were "
                f"made of them for {self.name}: report it, nothing was loaded"
            )
        return rows

    def _require_keys(self, rows: pa.Table) -> None:
        if self.lists and any(rows[key].null_count for key in self.keys):
            raise ValueMisfit(
                f"{self.source}: {', '.join(self.keys)} is null in a row that has {self.lists[0].path[0]}, "
                f"so the rows of {self.name} would belong to nobody: choose another identity for the extract"
            )


def flat_tables(source: str, schema: pa.Schema, keys: Sequence[str] = ()) -> tuple[FlatTable, ...]:
    """Plan the warehouse's tables of one of the lake: itself, flat, and one for each list at any depth.

    Raises ConfigurationError where lists have no `keys` to belong to, or two columns would have one name.
    """
    flat = unnested_schema(schema)
    _require_distinct(source, flat.names)
    children = _children(source, flat, keys)
    schemas = apart({source: flat}, children)
    origins = {below: field.name for field in schema for below in unnested_schema(pa.schema([field])).names}
    by_name = {child.name: child for child in children}
    ways = [_way(by_name, name) for name in schemas]
    return tuple(
        _planned(source, schema, keys, schemas[way[-1].name if way else source], origins, way) for way in ways
    )


def _planned(
    source: str,
    schema: pa.Schema,
    keys: Sequence[str],
    own: pa.Schema,
    origins: Mapping[str, str],
    way: tuple[ChildTable, ...],
) -> FlatTable:
    if way:
        of_list = origins[way[0].path[0]]
        beside = (*keys, FETCHED_AT.name)
        origins = {name: origins[name] if name in beside else of_list for name in own.names}
    else:
        origins = {name: origins[name] for name in own.names}
    read = {*origins.values()}
    return FlatTable(
        name=way[-1].name if way else source,
        source=source,
        schema=own,
        keys=tuple(keys),
        main=source,
        origins=origins,
        read=pa.schema([field for field in schema if field.name in read]),
        lists=way,
    )


def _children(source: str, flat: pa.Schema, keys: Sequence[str]) -> tuple[ChildTable, ...]:
    lists = [field.name for field in flat if pt.is_list(field.type)]
    if not lists:
        return ()
    if not keys or FETCHED_AT.name not in flat.names:
        raise ConfigurationError(
            f"{source} has the lists {', '.join(lists)}, whose rows in the warehouse could not say which row "
            "they are of: give the extract an identity=, or leave them out of its query"
        )
    try:
        return child_tables({source: flat}, keys, [EVERY])
    except GraphQLError as error:
        said = error.message.removeprefix("explode: ")
        raise ConfigurationError(f"the tables of {source} in the warehouse: {said}") from error


def _way(by_name: Mapping[str, ChildTable], name: str) -> tuple[ChildTable, ...]:
    """Give the lists from the main table down to the one of this name."""
    child = by_name.get(name)
    return (*_way(by_name, child.parent), child) if child else ()


def _require_distinct(source: str, names: Sequence[str]) -> None:
    twice = [name for name, number in Counter(names).items() if number > 1]
    if twice:
        raise ConfigurationError(
            f"{source} would have two columns {', '.join(twice)} in the warehouse, where structs are taken "
            "apart: give one of them an alias in the query"
        )


def _filled(source: str, batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """Give a batch all columns and fields of a schema: those that an older file lacks are null."""
    if batch.schema.equals(schema):
        return batch
    arrays = [
        _cast(source, batch[field.name], field) if field.name in batch.schema.names
        else pa.nulls(batch.num_rows, field.type)
        for field in schema
    ]  # fmt: skip
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _cast(source: str, array: pa.Array, field: pa.Field) -> pa.Array:
    """Give a column the type that it has now; Arrow's words for what does not fit show the value."""
    try:
        return array.cast(field.type)
    except pa.ArrowException:
        raise ValueMisfit(
            f"{source}.{field.name} is {array.type} in the partition's file, and not all of it can be "
            f"{field.type}, as it is now: materialize the partition of {source} again"
        ) from None
