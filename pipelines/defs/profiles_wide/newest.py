"""A profile that is in two tables of a day: which of its rows is the newest."""

import pyarrow as pa
import pyarrow.compute as pc

from pipelines.defs.profiles_refresh.staleness import AT, ID
from resources.lake import Dataset


def outdated(first: Dataset, second: Dataset) -> tuple[pa.Array, pa.Array]:
    """Give, for each of two datasets, the ids whose row in the other counts: the newest, else the first's."""
    times = first.to_table([ID, AT]).join(
        second.to_table([ID, AT]), ID, join_type="inner", right_suffix="_in_second"
    )
    newer = pc.fill_null(pc.less(times[AT], times[f"{AT}_in_second"]), False)
    return times.filter(newer)[ID].combine_chunks(), times.filter(pc.invert(newer))[ID].combine_chunks()
