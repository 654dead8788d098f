"""Columns declared in an asset's metadata, as Dagster shows them, into an Arrow schema and back."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import dagster as dg
import pyarrow as pa

from resources.errors import LakeError

COLUMN_SCHEMA = "dagster/column_schema"
COLUMN_LINEAGE = "dagster/column_lineage"
TIMESTAMP = re.compile(r"timestamp\[(s|ms|us|ns), tz=(.+)\]")
DECIMAL = re.compile(r"decimal128\((\d+), (-?\d+)\)")
NOTHING: Mapping[str, str] = MappingProxyType({})
NOT_NULL = dg.TableColumnConstraints(nullable=False)


def table_schema(schema: pa.Schema, said: Mapping[str, str] = NOTHING) -> dg.TableSchema:
    """Give Dagster an Arrow schema, and what is `said` of some columns.

    In an asset's metadata, as `dagster/column_schema`, it declares the columns of the asset's table.
    """
    return dg.TableSchema(
        columns=[
            dg.TableColumn(
                field.name,
                str(field.type),
                description=said.get(field.name),
                constraints=None if field.nullable else NOT_NULL,
            )
            for field in schema
        ]
    )


def declared_schema(metadata: object, table: str) -> pa.Schema | None:
    """Read the schema that an asset's metadata declares; raise LakeError for a type that is not Arrow's."""
    if isinstance(metadata, dg.TableSchemaMetadataValue):
        metadata = metadata.schema
    if not isinstance(metadata, dg.TableSchema):
        return None
    return pa.schema([_field(column, table) for column in metadata.columns])


def read_type(text: str) -> pa.DataType:
    """Read a type as pyarrow prints it; raise ValueError for what is none."""
    return _Reader(text).whole()


def _field(column: dg.TableColumn, table: str) -> pa.Field:
    try:
        type_ = read_type(column.type)
    except ValueError:
        raise LakeError(
            f"{table}.{column.name} is declared as {column.type}, which is no type that pyarrow prints, such "
            "as string, int64, date32[day], timestamp[us, tz=UTC], decimal128(10, 2) or list<item: string>"
        ) from None
    return pa.field(column.name, type_, nullable=column.constraints.nullable)


@dataclass(slots=True)
class _Reader:
    """Reads a type as pyarrow prints it."""

    text: str
    at: int = 0

    def whole(self) -> pa.DataType:
        type_ = self._type()
        if self.at != len(self.text):
            raise ValueError
        return type_

    def _type(self) -> pa.DataType:
        if self._skip("list<"):
            item = self._named()
            self._expect(">")
            return pa.list_(item)
        if self._skip("struct<"):
            fields = [] if self.text[self.at : self.at + 1] == ">" else [self._named()]
            while self._skip(", "):
                fields.append(self._named())
            self._expect(">")
            return pa.struct(fields)
        return _plain_type(self._match(r"[a-z0-9_]+(\[[^\]]*\]|\([^)]*\))?"))

    def _named(self) -> pa.Field:
        name = self._match(r"[^:]*(?=: )")
        self._expect(": ")
        return pa.field(name, self._type(), nullable=not self._skip(" not null"))

    def _match(self, pattern: str) -> str:
        found = re.compile(pattern).match(self.text, self.at)
        if not found:
            raise ValueError
        self.at = found.end()
        return found[0]

    def _skip(self, text: str) -> bool:
        there = self.text.startswith(text, self.at)
        self.at += len(text) * there
        return there

    def _expect(self, text: str) -> None:
        if not self._skip(text):
            raise ValueError


def _plain_type(text: str) -> pa.DataType:
    if found := TIMESTAMP.fullmatch(text):
        return pa.timestamp(found[1], tz=found[2])
    if found := DECIMAL.fullmatch(text):
        return pa.decimal128(int(found[1]), int(found[2]))
    return pa.type_for_alias(text)
