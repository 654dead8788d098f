"""What is handed to a warehouse that loads by itself: a table's statements, and what the linter finds."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import unquote

import pyarrow as pa

from resources.errors import ConfigurationError, LakeError, PartitionMissing
from resources.lake import Lake
from resources.lake.declared import read_type
from resources.lake.frames.reader import named, one_schema
from resources.lake.place import Place
from resources.lake.publishing.manifest import Manifest
from resources.lake.publishing.publications import tables
from resources.warehouse.dialects import Dialect
from resources.warehouse.handoff import HandOff, Part, named_table, script
from resources.warehouse.lint import Finding, Severity, lint


@dataclass(frozen=True, slots=True)
class Chosen:
    """A table, the partitions of it that are handed off, and what the linter finds."""

    handoff: HandOff
    manifests: Sequence[Manifest]
    findings: Sequence[Finding]

    @property
    def errors(self) -> int:
        """How many findings keep the warehouse from loading what is in the lake."""
        return sum(finding.severity is Severity.ERROR for finding in self.findings)

    def ddl(self) -> str:
        """Write the statement that creates the table."""
        (statement,) = script([self.handoff.ddl()])
        return statement

    def load(self, manifest: Manifest, stage: str) -> list[str]:
        """Write the statements that replace a partition."""
        part = Part(
            manifest.partition, manifest.file, _schema(manifest), Place(folder=manifest.partition).column
        )
        return list(script(self.handoff.load(part, stage)))


def chosen(lake: Lake, table: str, dialect: Dialect, *, key: str | None, into: str | None) -> Chosen:
    """Choose a table's partition, or all; raise PartitionMissing if it is not there, naming what is."""
    published = lake.manifests(table)
    if not published:
        raise PartitionMissing(f"there is no table {table} in {lake.root}; there is {_tables(lake)}")
    manifests = [manifest for manifest in published if key is None or key in _keys(manifest)]
    if not manifests:
        there = named([_keys(manifest)[-1] for manifest in reversed(published)])
        raise PartitionMissing(f"{table} has no partition {key}; it has {there}")
    schemas = {manifest.partition: _schema(manifest) for manifest in manifests}
    schema = one_schema(table, schemas, warn=lambda _: None)
    own = _own(table, manifests)
    target = named_table(into, table, dialect)
    findings = [*lint(schema, own, target.name, dialect), *_narrower(schemas, schema, dialect)]
    return Chosen(HandOff(dialect, table, target, schema, own), manifests, findings)


def _schema(manifest: Manifest) -> pa.Schema:
    try:
        return pa.schema([(name, read_type(text)) for name, text in manifest.columns.items()])
    except ValueError:
        raise LakeError(
            f"the manifest of {manifest.table} {manifest.partition} has a type that cannot be read: run the "
            "partition again"
        ) from None


def _own(table: str, manifests: Sequence[Manifest]) -> pa.Field | None:
    """Give the column that the folders stand for; raise LakeError where they stand for several."""
    columns = [Place(folder=manifest.partition).column for manifest in manifests]
    found = {column and column[0] for column in columns}
    if len(found) > 1:
        names = sorted(field.name if field else "none" for field in found)
        raise LakeError(
            f"the partitions of {table} have different columns of their own ({', '.join(names)}): hand them "
            "off one by one (--partition), into tables of their own (--into)"
        )
    return next(iter(found))


def _narrower(schemas: Mapping[str, pa.Schema], whole: pa.Schema, dialect: Dialect) -> Iterator[Finding]:
    """Find partitions where a nested column lacks a field that others have: BigQuery has no cast for it."""
    if dialect is not Dialect.BIGQUERY:
        return
    for field in whole:
        lacking = [
            folder
            for folder, schema in schemas.items()
            if field.name in schema.names and str(schema.field(field.name).type) != str(field.type)
        ]
        if lacking:
            says = f"it lacks fields in {named(lacking)} that it has in other partitions"
            do = "run these again, or hand the others off one by one (--partition)"
            yield Finding(Severity.ERROR, field.name, says, do, "BigQuery, Conversion rules: struct coercion")


def _keys(manifest: Manifest) -> list[str]:
    """Give what a partition may be named by: its folder, what that stands for, the key."""
    _, _, value = manifest.partition.partition("=")
    return [manifest.partition, value, unquote(value)]


def _tables(lake: Lake) -> str:
    if not lake.root.is_dir():
        raise ConfigurationError(f"there is no lake at {lake.root}: set TARGETDATA_LAKE")
    return named([name for name in tables(lake.root) if lake.manifests(name)], shown=20) or "none"
