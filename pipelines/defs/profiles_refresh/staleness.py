"""When each profile of the lake was asked for last."""

import math
from collections.abc import Collection, Iterator
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from resources.errors import PartitionMissing
from resources.lake import Lake

LOOKUPS = "profiles_refresh__lookups"
ID, AT = "profile_id", "fetched_at"
SCHEMA = pa.schema([(ID, pa.string()), (AT, pa.timestamp("us", tz="UTC"))])
LEAST_ROWS = 1_000_000  # gathered before they are merged


def last_asked(lake: Lake, *, without: Collection[str] = ()) -> pa.Table:
    """Give each profile's id and when it was asked for last: found in `profiles`, or by `profiles_refresh`.

    A profile that the refresh did not find was asked for too; one that failed was not, nor was any whose
    rows are gone. Partitions `without` of `profiles_refresh` are left out. Memory: two values a profile,
    three times at most.
    """
    newest = SCHEMA.empty_table()
    gathered: list[pa.Table] = []
    for rows in _asked(lake, without):
        gathered.append(rows)
        if sum(table.num_rows for table in gathered) > max(LEAST_ROWS, newest.num_rows):
            newest, gathered = _newest([newest, *gathered]), []
    return _newest([newest, *gathered])


def stale(asked: pa.Table, *, before: datetime, share: float) -> pa.Table:
    """Choose the ids of profiles that were asked for last before a moment: the oldest, a share of all."""
    oldest_first = overdue(asked, before).sort_by([(AT, "ascending"), (ID, "ascending")])
    return oldest_first.slice(0, math.ceil(asked.num_rows * share)).select([ID])


def overdue(asked: pa.Table, moment: datetime) -> pa.Table:
    """Keep the profiles that were asked for last before a moment."""
    return asked.filter(pc.less(asked[AT], pa.scalar(moment, SCHEMA.field(AT).type)))


def _asked(lake: Lake, without: Collection[str]) -> Iterator[pa.Table]:
    for day in lake.manifests("profiles"):
        yield lake.read("profiles", day.partition, columns=[ID, AT]).cast(SCHEMA)
    for day in lake.manifests(LOOKUPS):
        rows = None if day.partition in without else _lookups(lake, day.partition)
        if rows is not None:
            answered = rows.filter(pc.not_equal(rows["status"], "failed"))
            yield pa.Table.from_arrays([answered.column(0).cast(pa.string()), answered[AT]], schema=SCHEMA)


def _lookups(lake: Lake, folder: str) -> pa.Table | None:
    """Read whom a day has asked for; None where the rows that it found are not there any more."""
    try:
        files = lake.together(folder, [LOOKUPS, "profiles_refresh"])
    except PartitionMissing:
        return None
    with files[LOOKUPS], files["profiles_refresh"], lake.readable(LOOKUPS, folder):
        return pq.read_table(files[LOOKUPS])


def _newest(tables: list[pa.Table]) -> pa.Table:
    rows = pa.concat_tables(tables)
    newest = rows.filter(rows[ID].is_valid()).group_by(ID).aggregate([(AT, "max")])
    return newest.rename_columns([ID, AT]).cast(SCHEMA)
