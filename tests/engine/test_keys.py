"""Keys, from whatever they come in: asked in sorted order, each once, without nulls."""

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from resources.errors import ConfigurationError
from resources.graphql.paging.keys import sorted_keys
from resources.graphql.plan import Keyed
from resources.graphql.query import Query

TEXTS = st.lists(st.one_of(st.none(), st.text(max_size=3)))


def asked(keys: object, query: Query) -> list[str]:
    assert isinstance(query.plan, Keyed)
    found: list[str] = sorted_keys(keys, query.plan)["umid"].to_pylist()
    return found


@given(some=TEXTS, more=TEXTS, ready=st.booleans())
def test_keys_are_distinct_sorted_and_not_null(
    some: list[str | None], more: list[str | None], ready: bool, profiles_query: Query
) -> None:
    expected = sorted({key for key in [*some, *more] if key is not None})
    parts = [expected[:2], expected[2:]] if ready else [some, more]
    chunks = pa.chunked_array([pa.array(part, pa.string()) for part in parts])
    assert asked(chunks, profiles_query) == expected
    assert asked(pa.table({"other": chunks, "umid": chunks}), profiles_query) == expected
    assert asked([*parts[0], *parts[1]], profiles_query) == expected


@pytest.mark.parametrize(
    "keys",
    [("b", "a"), {"b", "a"}, iter("ba"), pd.DataFrame({"umid": ["b", "a"]}), {"umid": ["b", "a"]}],
    ids=lambda keys: type(keys).__name__,
)
def test_keys_come_in_any_form(keys: object, profiles_query: Query) -> None:
    assert asked(keys, profiles_query) == ["a", "b"]


def test_keys_of_another_name_or_type_are_refused_without_showing_them(profiles_query: Query) -> None:
    with pytest.raises(ConfigurationError, match="the keys have no column umid; there are: id"):
        asked(pa.table({"id": ["secret"]}), profiles_query)
    with pytest.raises(ConfigurationError, match="keys are a table, a frame or a list, not int") as caught:
        asked(7, profiles_query)
    with pytest.raises(ConfigurationError, match="the keys do not fit the query's variables umid") as caught:
        asked(pa.table({"umid": [b"\xff\xfe secret"]}), profiles_query)
    assert "secret" not in str(caught.value)


FORMS = [
    pa.string(),
    pa.large_string(),
    pa.string_view(),
    pa.binary(),
    pa.dictionary(pa.int32(), pa.string()),
]


@pytest.mark.parametrize("form", FORMS, ids=str)
@pytest.mark.parametrize("text", ["1e-2147483647", "1.5", "38863656684546268772912734143717026668", "x"])
def test_texts_that_are_no_keys_of_a_number_are_refused(text: str, form: pa.DataType, tmp_path: Path) -> None:
    plan = numbered(tmp_path).plan
    assert isinstance(plan, Keyed)
    keys = pa.array(["18446744073709551615", "7", "1e2"], pa.string()).cast(form)
    assert sorted_keys(keys, plan)["id"].to_pylist() == [7, 100, 2**64 - 1]
    with pytest.raises(ConfigurationError, match="the keys do not fit the query's variables id"):
        sorted_keys(pa.array([text]).cast(form), plan)


def numbered(folder: Path) -> Query:
    """Give a lookup by a number beyond 64 bits with a sign."""
    schema, document = folder / "schema.graphql", folder / "by_id.graphql"
    schema.write_text("scalar UInt64 type Query { thing(id: UInt64!): Thing } type Thing { name: String }")
    document.write_text("query by_id($id: UInt64!) { thing(id: $id) { name } }")
    return Query.load(document, schema=schema)
