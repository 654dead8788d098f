"""The figures of an extraction as Dagster's metadata; it plots the numbers over partitions."""

import dagster as dg

from pipelines.extraction.partition import ExtractPartition
from resources.graphql.counts import Counts


def figures(partition: ExtractPartition, seconds: float) -> dict[str, dg.MetadataValue]:
    """Give the figures of one partition; `keys_resumed` of its keys (or rows) an earlier run has asked for.

    The rows of a list's table are named after it: `rows__identifiers` are those of `profiles__identifiers`.
    In a run over several partitions what happened on the wire belongs to all of them together.
    """
    tally = partition.tally
    keys = {
        "keys_asked": tally.asked,
        "keys_found": tally.found,
        "keys_filtered": tally.filtered,
        "keys_not_found": tally.not_found,
        "keys_failed": tally.failed,
        "keys_suppressed": tally.suppressed,
        "keys_resumed": tally.staged,
    }
    lists = {f"rows{name.removeprefix(partition.table)}": rows for name, rows in partition.child_rows.items()}
    counted: dict[str, dg.MetadataValue] = {
        name: dg.MetadataValue.int(number) for name, number in (keys | lists).items()
    }
    if tally.notes:
        counted["notes"] = dg.MetadataValue.json(tally.notes)
    range_ = partition.range
    if range_ is None:
        return counted | on_the_wire(tally.counts, partition.new_rows, seconds)
    rows = sum(p.new_rows for p in range_.partitions.values())
    together = on_the_wire(range_.tally.counts, rows, seconds)
    shared = {f"range_{name}": value for name, value in together.items()}
    return counted | shared | {"range_partitions": dg.MetadataValue.int(len(range_.partitions))}


def on_the_wire(counts: Counts, rows: int, seconds: float) -> dict[str, dg.MetadataValue]:
    """Give what was sent and received; `lookups` are the distinct keys that were asked."""
    retries = dict(sorted(counts.retries.items()))
    numbers = {
        "lookups": counts.lookups,
        "requests": counts.requests,
        "retries": sum(retries.values()),
        "token_renewals": counts.renewals,
        "answer_bytes": counts.bytes,
    }
    return {
        **{name: dg.MetadataValue.int(number) for name, number in numbers.items()},
        "retries_by_kind": dg.MetadataValue.json(retries),
        "seconds": dg.MetadataValue.float(round(seconds, 3)),
        "rows_per_second": dg.MetadataValue.float(round(rows / seconds, 1)),
    }
