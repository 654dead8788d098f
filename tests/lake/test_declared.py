"""Columns declared in an asset's metadata are an Arrow schema, and back."""

import dagster as dg
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from resources.errors import LakeError
from resources.lake.declared import declared_schema, table_schema

LEAVES = [
    *(pa.string(), pa.int8(), pa.int64(), pa.uint32(), pa.float32(), pa.float64(), pa.bool_(), pa.binary()),
    *(pa.date32(), pa.time64("us"), pa.timestamp("us"), pa.timestamp("us", tz="UTC"), pa.decimal128(38, 9)),
    *(pa.timestamp("ms", tz="Europe/Berlin"), pa.duration("us"), pa.decimal128(5, -2)),
]
NAMES = st.text("abcXYZ_0 ä-.", min_size=1, max_size=5)
TYPES = st.recursive(
    st.sampled_from(LEAVES),
    lambda inner: st.one_of(
        st.builds(pa.list_, st.builds(pa.field, NAMES, inner, nullable=st.booleans())),
        st.builds(
            lambda fields: pa.struct([pa.field(n, t, nullable=null) for n, (t, null) in fields.items()]),
            st.dictionaries(NAMES, st.tuples(inner, st.booleans()), max_size=3),
        ),
    ),
    max_leaves=6,
)


@given(st.dictionaries(NAMES, st.tuples(TYPES, st.booleans()), max_size=4))
def test_what_is_declared_comes_back(columns: dict[str, tuple[pa.DataType, bool]]) -> None:
    schema = pa.schema([pa.field(name, type_, nullable=null) for name, (type_, null) in columns.items()])
    for declared in (table_schema(schema), dg.MetadataValue.table_schema(table_schema(schema))):
        assert declared_schema(declared, "people").equals(schema)


@pytest.mark.parametrize(
    "text", ["varchar(10)", "list<string>", "struct<a: int64", "int64 x", "decimal128(9)", ""]
)
def test_a_type_that_is_none_of_arrows_is_named(text: str) -> None:
    declared = dg.TableSchema(columns=[dg.TableColumn("age", text)])
    with pytest.raises(LakeError, match=r"people.age is declared as .* which is no type that pyarrow prints"):
        declared_schema(declared, "people")


def test_what_is_no_schema_declares_nothing() -> None:
    assert declared_schema(None, "people") is None
