"""The lookups of a partition beside its rows: each key once, and the rows that the found ones lead to."""

from functools import reduce

import pyarrow as pa
import pyarrow.compute as pc

from pipelines.checks.books import Books, total
from pipelines.checks.published import PublishedExtract, PublishedFile
from pipelines.checks.shares import status_counts

STATUSES = FOUND, _, _, FAILED = ("found", "filtered", "not_found", "failed")
BY_LOOKUPS, IN_ROWS = "by lookups", "in rows"  # with a space, as no column has


def compare_lookups(
    books: Books, extract: PublishedExtract, rows: PublishedFile, lookups: PublishedFile, asked: int | None
) -> None:
    """Compare the lookups with themselves, with the extract's rows, and with what the run has recorded."""
    counts = status_counts(lookups.file)
    _keys(books, extract, lookups, asked)
    books.same(
        "lookups", {"all": counts.total(), " + ".join(STATUSES): sum(counts[status] for status in STATUSES)}
    )
    _statuses(books, lookups)
    _rows(books, extract, rows, lookups)
    books.figures["keys_asked"] = counts.total()
    books.figures.update({f"keys_{status}": counts[status] for status in STATUSES})


def _keys(books: Books, extract: PublishedExtract, lookups: PublishedFile, asked: int | None) -> None:
    keys = lookups.columns(extract.keys)
    once = keys.group_by(extract.keys).aggregate([]).num_rows  # faster than count_distinct
    erased = lookups.manifest.erased  # since then
    recorded = {} if asked is None else {"asked by its run": asked - erased}
    if erased:
        books.figures["keys_erased"] = erased
    books.same("keys", {"lookups": keys.num_rows, "distinct": once, **recorded})
    enough = pc.and_ if extract.lacks_keys else pc.or_  # of several kinds of identifiers, one will do
    books.none("lookups without a key", reduce(enough, [pc.is_null(key) for key in keys.columns]))


def _statuses(books: Books, lookups: PublishedFile) -> None:
    """Look whether each lookup has what its status says, and nothing else."""
    table = lookups.columns(["status", "identity", "code"])
    failed, found = (pc.equal(table["status"], status) for status in (FAILED, FOUND))
    has_code, has_identity = pc.is_valid(table["code"]), pc.is_valid(table["identity"])
    books.none("failed lookups without a code", pc.and_not(failed, has_code))
    books.none("lookups that have a code and did not fail", pc.and_not(has_code, failed))
    books.none("lookups that have an identity and are not found", pc.and_not(has_identity, found))


def _rows(books: Books, extract: PublishedExtract, rows: PublishedFile, lookups: PublishedFile) -> None:
    """Compare the rows with those that the found lookups lead to: how many, and which."""
    groups = _grouped(extract, rows, lookups)
    made, distinct = (_different(groups, side, extract.identity) for side in (BY_LOOKUPS, IN_ROWS))
    number = rows.footer.num_rows
    table = f"rows of {extract.table}"
    books.same(table, {"by the lookups found": made, "rows": number, "distinct in it": distinct})
    what = "identities" if extract.identity else "keys"
    books.none(f"{what} of found lookups without a row", pc.equal(groups[IN_ROWS], 0))
    books.none(f"{what} of rows without a found lookup", pc.equal(groups[BY_LOOKUPS], 0))


def _grouped(extract: PublishedExtract, rows: PublishedFile, lookups: PublishedFile) -> pa.Table:
    """Give each identity (or key, where there is none) once, and how often either side has it."""
    names = ["identity"] if extract.identity else extract.keys
    asked = lookups.columns(["status", *names])
    led = asked.filter(pc.equal(asked["status"], FOUND)).select(names)
    own = rows.columns([extract.identity] if extract.identity else names)
    own = own.rename_columns(names).cast(led.schema)  # a number is a text among the lookups
    both = pa.concat_tables([_marked(led, 1, 0), _marked(own, 0, 1)])
    groups = both.group_by(names).aggregate([(BY_LOOKUPS, "sum"), (IN_ROWS, "sum")])
    return groups.rename_columns([*names, BY_LOOKUPS, IN_ROWS])


def _marked(table: pa.Table, by_lookups: int, in_rows: int) -> pa.Table:
    for name, mark in ((BY_LOOKUPS, by_lookups), (IN_ROWS, in_rows)):
        table = table.append_column(name, pa.repeat(pa.scalar(mark, pa.int8()), table.num_rows))
    return table


def _different(groups: pa.Table, side: str, identity: str | None) -> int:
    """Count the different ones on a side, and each that has no identity."""
    once = pc.min_element_wise(groups[side], 1)
    return total(pc.if_else(pc.is_null(groups["identity"]), groups[side], once) if identity else once)
