"""The table of a list beside the one that it was taken of: each element once, and none without its row."""

import pyarrow as pa
import pyarrow.compute as pc

from pipelines.checks.books import Books
from pipelines.checks.published import PublishedFile
from resources.graphql.child_table import POSITION, ChildTable

IN_PARENT = "in parent"  # with a space, as no column has


def compare_child(books: Books, child: ChildTable, parent: PublishedFile, file: PublishedFile) -> None:
    """Compare the elements with themselves and with the rows that they are of.

    That a list has lost its last elements is not to be seen here: its run has counted them.
    """
    keys = list(child.keys)
    elements = file.columns([*keys, POSITION])
    once = elements.group_by([*keys, POSITION]).aggregate([]).num_rows
    books.same(f"rows of {child.name}", {"rows": elements.num_rows, "distinct in it": once})
    lists = elements.group_by(keys).aggregate([(POSITION, "count"), (POSITION, "max")])
    whole = pc.equal(lists[f"{POSITION}_count"], pc.add(lists[f"{POSITION}_max"], 1))
    books.none(f"lists of {child.name} that lack an element", pc.invert(whole))
    rows = parent.columns(list(child.keys.values())).rename_columns(keys)
    both = pa.concat_tables([_marked(lists.select(keys), 0), _marked(rows, 1)])
    there = both.group_by(keys).aggregate([(IN_PARENT, "max")])[f"{IN_PARENT}_max"]
    books.none(f"lists of {child.name} without a row in {child.parent}", pc.equal(there, 0))


def _marked(table: pa.Table, in_parent: int) -> pa.Table:
    return table.append_column(IN_PARENT, pa.repeat(pa.scalar(in_parent, pa.int8()), table.num_rows))
