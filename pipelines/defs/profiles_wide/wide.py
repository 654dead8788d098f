"""Profiles with the entries of their lists as columns, one for each configured name."""

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from pipelines.defs.profiles_refresh.staleness import ID
from pipelines.defs.profiles_wide.names import Name
from pipelines.defs.profiles_wide.newest import outdated
from pipelines.defs.profiles_wide.values import typed
from resources.errors import ConfigurationError, LakeError
from resources.lake import Dataset
from resources.lake.frames.casting import exact
from resources.privacy.entry_fields import PREFIXES, EntryFields, entry_fields

if TYPE_CHECKING:
    import pandas as pd

BATCH_ROWS = 20_000  # profiles whose lists are unfolded at once
SHOWN, MANY = 100, 1000  # names of a list that are shown; so many are rather values
WITHOUT = "the wide table has no column for its entries"
NEVER = -(2**63)  # an entry without a time is older than any


@dataclass(frozen=True, slots=True)
class WideList:
    """A list of the profiles, and its columns by the name that they stand for."""

    column: str
    fields: EntryFields
    columns: Mapping[str, pa.Field]


@dataclass(frozen=True, slots=True)
class Wide:
    """The wide table: its schema, what it is made of, and what is left out of it, in words."""

    schema: pa.Schema
    source: pa.Schema
    lists: tuple[WideList, ...]
    left_out: tuple[str, ...]

    @classmethod
    def plan(
        cls,
        profiles: pa.Schema,
        names: Mapping[str, Sequence[Name]],
        given: Mapping[str, tuple[str, ...]] | None = None,
    ) -> "Wide":
        """Make the plan from the columns of `profiles` and the names for each list; raise
        ConfigurationError where two columns would have one name, or a type cannot be.
        """
        flat = [column for column in profiles if not pt.is_nested(column.type)]
        lists, left_out = [], []
        for column in PREFIXES:
            fields = entry_fields(column, profiles, given or {}, otherwise=WITHOUT)
            if isinstance(fields, str):
                left_out.append(fields)
            else:
                lists.append(WideList(column, fields, _columns(column, fields, names.get(column, ()))))
        columns = [*flat, *(made for one in lists for made in one.columns.values())]
        _require_distinct([column.name for column in columns])
        read = {column.name for column in flat} | {one.column for one in lists}
        source = pa.schema([column for column in profiles if column.name in read])
        return cls(pa.schema(columns), source, tuple(lists), tuple(left_out))

    @property
    def made_of(self) -> dict[str, str]:
        """Give for each column the column of the profiles that it is made of."""
        unfolded = {made.name: one.column for one in self.lists for made in one.columns.values()}
        return {name: unfolded.get(name, name) for name in self.schema.names}

    @property
    def hash(self) -> str:
        """A digest of all that decides what the table holds."""
        said = [str(self.schema), *(f"{one.fields} {list(one.columns)}" for one in self.lists)]
        return hashlib.sha256("\n".join(said).encode()).hexdigest()[:16]

    def day(self, profiles: Dataset, refreshed: Dataset) -> "WideDay":
        """Make the frame of a day's partitions of `profiles` and `profiles_refresh`, pyarrow datasets.

        It has a row for each profile: the one fetched last.
        """
        import pandas as pd

        self._require_columns("profiles", profiles)
        self._require_columns("profiles_refresh", refreshed)
        unnamed: dict[str, Counter[str]] = {one.column: Counter() for one in self.lists}
        frames = [
            self._frame(batch, unnamed)
            for table, old in zip((profiles, refreshed), outdated(profiles, refreshed), strict=True)
            for batch in self._batches(table, old)
        ]
        empty = self.schema.empty_table().to_pandas(types_mapper=pd.ArrowDtype)
        return WideDay(pd.concat(frames, ignore_index=True) if frames else empty, unnamed)

    def _require_columns(self, name: str, table: Dataset) -> None:
        for column in self.source:
            if column.name not in table.schema.names or table.schema.field(column.name).type != column.type:
                raise LakeError(
                    f"{name} has no column {column.name} as today's query has it: run its partition again"
                )

    def _batches(self, table: Dataset, without: pa.Array) -> Iterator[pa.RecordBatch]:
        import pyarrow.dataset as pads

        scanner = table.scanner(
            columns=self.source.names,
            filter=~pads.field(ID).isin(without),
            batch_size=BATCH_ROWS,
            batch_readahead=1,
            fragment_readahead=1,
        )
        yield from scanner.to_batches()

    def _frame(self, batch: pa.RecordBatch, unnamed: Mapping[str, Counter[str]]) -> "pd.DataFrame":
        import pandas as pd

        flat = [name for name in self.schema.names if name in batch.schema.names]
        columns = dict(batch.select(flat).to_pandas(types_mapper=pd.ArrowDtype).items())
        for one in self.lists:
            columns |= _unfolded(batch[one.column], one, unnamed[one.column])
        return pd.DataFrame(columns, columns=self.schema.names)


@dataclass(frozen=True, slots=True)
class WideDay:
    """The frame of a day, and how many entries have a name that no column stands for, by list and name."""

    frame: "pd.DataFrame"
    unnamed: dict[str, Counter[str]] = field(default_factory=dict)

    @property
    def without_column(self) -> dict[str, object]:
        """The names that came and have no column, the most frequent first.

        Names are no personal data; values are, so nothing is given where names look like values.
        """
        return {
            column: dict(names.most_common(SHOWN)) if len(names) <= MANY else f"{len(names)} different names"
            for column, names in self.unnamed.items()
        }


def _unfolded(
    entries: pa.ListArray, one: WideList, unnamed: Counter[str]
) -> "Iterator[tuple[str, pd.Series]]":
    """Give a column for each name; of several entries of a profile the newest, else the first, counts."""
    import pandas as pd

    items = pc.list_flatten(entries)
    names = pc.struct_field(items, one.fields.name)
    named = pc.is_in(names, value_set=pa.array(list(one.columns), pa.string()))
    for count in pc.value_counts(names.filter(pc.invert(named))).to_pylist():
        if count["values"] is not None:
            unnamed[count["values"]] += count["counts"]
    frame = pd.DataFrame(
        {
            "profile": pc.list_parent_indices(entries).filter(named).to_numpy(zero_copy_only=False),
            "name": names.filter(named).to_pandas(),
            "value": _series(pc.struct_field(items, one.fields.value).filter(named)),
            "time": _times(items, one.fields.time).filter(named).to_numpy(zero_copy_only=False),
        }
    )
    newest = frame.sort_values("time", ascending=False, kind="stable").drop_duplicates(["profile", "name"])
    by_name = dict(iter(newest.set_index("profile").groupby("name")["value"]))
    for name, column in one.columns.items():
        values = by_name.get(name, newest["value"].head(0)).reindex(range(len(entries)))
        yield column.name, _series(typed(pa.array(values, one.fields.value_type), column.type, column.name))


def _times(items: pa.StructArray, time: str | None) -> pa.Array:
    if time is None:
        return pa.array([NEVER], pa.int64()).take(pa.array([0] * len(items), pa.int64()))
    return pc.fill_null(pc.struct_field(items, time).cast(pa.int64()), NEVER)


def _series(values: pa.Array) -> "pd.Series":
    import pandas as pd

    return pd.Series(values, dtype=pd.ArrowDtype(values.type))


def _columns(column: str, fields: EntryFields, names: Sequence[Name]) -> dict[str, pa.Field]:
    prefix = PREFIXES[column]
    made = [pa.field(name.column(prefix), name.type or fields.value_type) for name in names]
    for one in made:
        if not pt.is_string(fields.value_type) and not exact(fields.value_type, one.type):
            raise ConfigurationError(
                f"{one.name} cannot be {one.type}: {column}.{fields.value} is {fields.value_type}. Leave "
                "its type out"
            )
        if one.name == f"{prefix}_":
            raise ConfigurationError(
                f"a name for {column} has no letter or digit, so no column can be named by it"
            )
    _require_distinct([one.name for one in made])
    return dict(zip((name.name for name in names), made, strict=True))


def _require_distinct(columns: Sequence[str]) -> None:
    twice = sorted(name for name, count in Counter(columns).items() if count > 1)
    if twice:
        raise ConfigurationError(
            f"profiles_wide would have two columns {', '.join(twice)}: take a name out of TARGETDATA_WIDE_..."
        )
