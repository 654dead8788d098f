"""Keys as they are asked: distinct, sorted, without nulls; perhaps by group."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce

import pyarrow as pa
import pyarrow.compute as pc

from resources.errors import ConfigurationError
from resources.graphql.decoding import decimals
from resources.graphql.plan import Keyed
from resources.graphql.texts import digest

POSITION = "\0group"  # no GraphQL variable has this name
MEMBERS = f"{POSITION}_list"  # as Arrow names the aggregate


@dataclass(frozen=True, slots=True)
class GroupedKeys:
    """Keys by group: in a run over several partitions, those of each.

    A key that is in several groups is asked once, and its row goes to each of them; every page then says
    which group it is of. What `Client.pages` takes as keys, each group may be.
    """

    groups: Mapping[str, object] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Asked:
    """The distinct keys of all groups, sorted; `members` lists each key's groups, None for a single one.

    `sizes` are those of the groups, and `digest` is of all their keys.
    """

    keys: pa.Table = field(repr=False)
    groups: tuple[str | None, ...]
    sizes: tuple[int, ...]
    digest: str
    members: pa.ChunkedArray | None = None

    def members_of(self, start: int, number: int) -> list[Sequence[int]]:
        """Say for each group which keys of a stretch are in it, as positions in the stretch."""
        if self.members is None:
            return [range(number)]
        found: list[list[int]] = [[] for _ in self.groups]
        for index, groups in enumerate(self.members.slice(start, number).to_pylist()):
            for group in groups:
                found[group].append(index)
        return list(found)


def asked_keys(keys: object, plan: Keyed) -> Asked:
    """Make the tables of the plan's key columns that a query asks for; no groups are one without a name."""
    groups = list(keys.groups.items()) if isinstance(keys, GroupedKeys) else [(None, keys)]
    if not groups:
        raise ConfigurationError("there is no group of keys")
    tables = [sorted_keys(of_group, plan) for _, of_group in groups]
    names, sizes = tuple(name for name, _ in groups), tuple(table.num_rows for table in tables)
    whole = repr([(name, digest(table)) for name, table in zip(names, tables, strict=True)])
    if len(tables) == 1:
        return Asked(tables[0], names, sizes, whole)
    joined = _joined(tables)
    return Asked(joined.drop_columns([MEMBERS]), names, sizes, whole, joined[MEMBERS])


def _joined(tables: list[pa.Table]) -> pa.Table:
    """Make one table of the distinct keys of sorted ones, with the positions of the tables they are in."""
    names = tables[0].column_names
    marked = [
        table.append_column(POSITION, pa.repeat(pa.scalar(position, pa.int32()), table.num_rows))
        for position, table in enumerate(tables)
    ]
    joined = pa.concat_tables(marked).group_by(names).aggregate([(POSITION, "list")])
    return joined.sort_by([(name, "ascending") for name in names])


def sorted_keys(keys: object, plan: Keyed) -> pa.Table:
    """Make a table of the plan's key columns: distinct, sorted, without nulls (but for kinds that lack).

    Takes a table or frame with columns of these names, or, for a single key column, any sequence.
    """
    names = plan.key_names
    table = _as_table(keys, names)
    missing = [name for name in names if name not in table.column_names]
    if missing:
        raise ConfigurationError(
            f"the keys have no column {', '.join(missing)}; there are: {', '.join(table.column_names)}"
        )
    try:
        table = pa.table({field.name: _cast(table[field.name], field.type) for field in plan.key_fields})
    except (ValueError, pa.ArrowNotImplementedError):  # ArrowInvalid is one; their message holds a key
        raise ConfigurationError(f"the keys do not fit the query's variables {', '.join(names)}") from None
    if len(names) == 1 and ascending(table[names[0]]):
        return table  # as the keys of a partition are: no copy of millions of keys
    enough = pc.or_ if plan.kinds else pc.and_  # of several kinds of identifiers, one will do
    table = table.filter(reduce(enough, [pc.is_valid(table[name]) for name in names]))
    return table.group_by(names).aggregate([]).sort_by([(name, "ascending") for name in names])


def _cast(keys: pa.ChunkedArray, arrow: pa.DataType) -> pa.ChunkedArray:
    if not pa.types.is_decimal(arrow):
        return keys.cast(arrow)
    values = keys.type.value_type if pa.types.is_dictionary(keys.type) else keys.type
    is_number = pa.types.is_integer(values) or pa.types.is_decimal(values) or pa.types.is_floating(values)
    return keys.cast(arrow) if is_number else decimals.read(keys.cast(pa.string()), arrow)


def ascending(column: pa.ChunkedArray) -> bool:
    """Say whether values are sorted, distinct and not null."""
    if column.null_count:
        return False
    return bool(pc.all(pc.less(column[:-1], column[1:]), min_count=0).as_py())


def _as_table(keys: object, names: list[str]) -> pa.Table:
    match keys:
        case pa.Table():
            return keys
        case pa.Array() | pa.ChunkedArray():
            return pa.table({names[0]: keys})
        case _ if hasattr(keys, "__dataframe__") or hasattr(keys, "__arrow_c_stream__"):
            return pa.table(keys) if hasattr(keys, "__arrow_c_stream__") else pa.Table.from_pandas(keys)
        case Mapping():
            return pa.table(dict(keys))
        case Iterator() | list() | tuple() | set():
            values = list(keys)
            return pa.table({names[0]: pa.array(values)}) if len(names) == 1 else pa.Table.from_pylist(values)
    raise ConfigurationError(f"keys are a table, a frame or a list, not {type(keys).__name__}")
