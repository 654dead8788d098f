"""A person's rows in what is published, found by reading the columns that tell and no others."""

from collections.abc import Iterator, Sequence

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from resources.lake.publishing.publications import Publication
from resources.lake.resource import Lake
from resources.privacy.person import Person, Rule


def counted(lake: Lake, publication: Publication, person: Person) -> dict[str, int]:
    """Count a person's rows in the tables that have any."""
    found = {}
    for table in publication.manifests:
        with lake.open(table, publication.folder) as file, lake.readable(table, publication.folder):
            parquet = pq.ParquetFile(file)
            rule = person.rule(table, parquet.schema_arrow)
            if rule and (number := sum(number for _, number in _groups(parquet, rule))):
                found[table] = number
    return found


def rows_of(file: pq.ParquetFile, rule: Rule, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """Give some columns of a person's rows; only the row groups that have any are read."""
    wanted = list(dict.fromkeys([*rule.columns, *columns]))
    for group, number in _groups(file, rule):
        if number:
            for batch in file.read_row_group(group, columns=wanted).to_batches():
                yield batch.filter(rule.marks(batch)).select(columns)


def without(file: pq.ParquetFile, rule: Rule | None) -> Iterator[pa.Table]:
    """Give all rows but a person's, a row group at a time."""
    for group in range(file.num_row_groups):
        rows = file.read_row_group(group)
        if rule is None:
            yield rows
        else:
            kept = [batch.filter(pc.invert(rule.marks(batch))) for batch in rows.to_batches()]
            yield pa.Table.from_batches(kept, rows.schema)


def _groups(file: pq.ParquetFile, rule: Rule) -> Iterator[tuple[int, int]]:
    """Give each row group and how many rows of the person it has."""
    for group in range(file.num_row_groups):
        batches = file.read_row_group(group, columns=rule.columns).to_batches()
        yield group, sum(pc.sum(rule.marks(batch), min_count=0).as_py() for batch in batches)
