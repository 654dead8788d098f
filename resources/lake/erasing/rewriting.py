"""A published partition without a person's rows: all its tables at once, by the writer of every run."""

from collections.abc import Mapping
from contextlib import ExitStack
from types import MappingProxyType

import pyarrow as pa
import pyarrow.parquet as pq

from resources.errors import Fenced, LakeBusy
from resources.lake.erasing.rows import counted, without
from resources.lake.publishing.manifest import Manifest
from resources.lake.publishing.partition import PartitionWriter
from resources.lake.publishing.publications import Publication
from resources.lake.resource import Lake
from resources.privacy.person import Person

TRIES, AFTER_SECONDS = 5, 300.0  # while runs publish the partition again and again
NOT_KEPT = {b"generation", b"run", b"ARROW:schema"}  # of a footer: they are written anew
NO_ROWS: Mapping[str, int] = MappingProxyType({})


def erased(lake: Lake, publication: Publication, person: Person, *, run: str) -> Mapping[str, int]:
    """Publish a partition without a person's rows; count them by table.

    The partition is claimed for that, so a run that is at it publishes nothing: it may hold the person. What
    another has published in between is looked through again.
    """
    for _ in range(TRIES):
        manifests = {table: lake.manifest(table, publication.folder) for table in publication.manifests}
        found = {table: manifest for table, manifest in manifests.items() if manifest}
        current = Publication(publication.own, publication.folder, found)
        rows = counted(lake, current, person)
        if not rows:
            return NO_ROWS
        try:
            _write(lake, current, person, run)
        except Fenced:
            continue
        return rows
    raise LakeBusy(
        f"{publication.name} is published again and again by other runs, and has the person's rows: end "
        "them, and run this again",
        after_seconds=AFTER_SECONDS,
    )


def _write(lake: Lake, publication: Publication, person: Person, run: str) -> None:
    with ExitStack() as opened:
        files = {
            table: pq.ParquetFile(opened.enter_context(lake.open(table, publication.folder)))
            for table in publication.manifests
        }
        writer = PartitionWriter(
            lake.root,
            publication.folder,
            {table: file.schema_arrow.remove_metadata() for table, file in files.items()},
            run=run,
            footer=_footer(files[next(iter(files))].schema_arrow),
            is_cancelled=lambda: False,
            table=publication.own,
            replacing=publication.manifests,
        )
        with writer:
            _require_same(lake, publication.manifests)
            for table, file in files.items():
                for rows in without(file, person.rule(table, file.schema_arrow)):
                    writer.write({table: rows})


def _require_same(lake: Lake, manifests: Mapping[str, Manifest]) -> None:
    """Raise Fenced where something was published before the partition was claimed."""
    for table, manifest in manifests.items():
        if lake.manifest(table, manifest.partition) != manifest:
            raise Fenced(f"{table} {manifest.partition} was published by another run just now")


def _footer(schema: pa.Schema) -> dict[str, str]:
    said = schema.metadata or {}
    return {name.decode(): text.decode() for name, text in said.items() if name not in NOT_KEPT}
