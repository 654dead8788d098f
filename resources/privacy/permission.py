"""A permission that a person must have given: the newest entry of its name decides."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from resources.errors import ConfigurationError
from resources.graphql.child_table import ChildTable
from resources.graphql.query import Query
from resources.graphql.texts import joined
from resources.privacy.entry_fields import EntryFields, entry_fields

SAYS = "only the permission (TARGETDATA_ONLY_PERMISSION, --only-permission)"
LIST = "permissions"
NEVER = -(2**63)  # an entry without a time is older than any

Marks = npt.NDArray[np.bool_]  # one for each row


@dataclass(frozen=True, slots=True)
class Permission:
    """Rows count where the newest entry `name` of the list of permissions has the `value`.

    Of entries with equal times, or without any, the first counts. `child` is the list's own table.
    """

    name: str
    value: pa.Scalar
    fields: EntryFields
    child: ChildTable | None

    @classmethod
    def of(cls, query: Query, text: str, given: Mapping[str, tuple[str, ...]]) -> "Permission":
        """Read `CS-OM=GRANTED`; the fields are told as those of the wide table, or `given`.

        Raises ConfigurationError where it cannot be told what the list's fields hold.
        """
        name, equals, value = (part.strip() for part in text.partition("="))
        if not (name and equals and value):
            raise ConfigurationError(f"{SAYS}: {text} should look like CS-OM=GRANTED")
        fields = entry_fields(
            LIST, query.rows, given, otherwise=f"{query.name} cannot keep to those who have {name}"
        )
        if isinstance(fields, str):
            raise ConfigurationError(f"{SAYS}: {fields}")
        child = next((child for child in query.children if child.path == (LIST,)), None)
        return cls(name, _typed(value, fields), fields, child)

    def __str__(self) -> str:
        """Write it as it is set, with the fields that it is read from."""
        fields = ":".join(filter(None, (self.fields.name, self.fields.value, self.fields.time)))
        return f"{self.name}={self.value.as_py()} by {LIST}={fields}"

    def granted(self, tables: Mapping[str, pa.Table], rows: pa.Table) -> Marks:
        """Say of each row of the extract's own table whether it has the permission."""
        places, items = self._entries(tables, rows)
        named = np.flatnonzero(pc.equal(items[self.fields.name], self.name).fill_null(False).to_numpy())
        places, items = places[named], items.take(pa.array(named))
        newest = _newest(places, self._times(items))
        given = pc.equal(items[self.fields.value], self.value).fill_null(False).to_numpy()
        marks = np.zeros(rows.num_rows, np.bool_)
        marks[places[newest[given[newest]]]] = True
        return marks

    def _entries(
        self, tables: Mapping[str, pa.Table], rows: pa.Table
    ) -> tuple[npt.NDArray[np.int64], pa.Table]:
        """Give the entries of all rows, and the place of each one's row."""
        if self.child:
            entries, keys = tables[self.child.name], self.child.keys
            parents = joined(rows.select(list(keys.values()))).combine_chunks()
            places = pc.index_in(joined(entries.select(list(keys))), value_set=parents)
            return places.to_numpy(), entries
        lists = rows[LIST].combine_chunks()
        lengths = pc.fill_null(pc.list_value_length(lists), 0).to_numpy()
        items = lists.flatten()
        names = [field.name for field in items.type]
        return np.repeat(np.arange(len(lists)), lengths), pa.table(items.flatten(), names)

    def _times(self, items: pa.Table) -> npt.NDArray[np.int64]:
        if self.fields.time is None:
            return np.zeros(items.num_rows, np.int64)
        times = pc.fill_null(items[self.fields.time].cast(pa.int64()), NEVER)
        return np.asarray(times.to_numpy(), np.int64)


def _newest(places: npt.NDArray[np.int64], times: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Give the position of each place's newest entry, of equal ones the first."""
    order = np.arange(len(places))[::-1]
    ordered: npt.NDArray[np.int64] = np.lexsort((order, times, places))
    is_last = np.append(places[ordered][1:] != places[ordered][:-1], True)[: len(places)]
    newest: npt.NDArray[np.int64] = ordered[is_last]
    return newest


def _typed(value: str, fields: EntryFields) -> pa.Scalar:
    try:
        return pa.scalar(value).cast(fields.value_type)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        raise ConfigurationError(
            f"{SAYS}: {LIST}.{fields.value} is {fields.value_type}, which {value} is not"
        ) from None
