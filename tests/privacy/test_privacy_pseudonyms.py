"""Pseudonyms: one a value, everywhere the same, at any depth, and nothing else of a table changes."""

import hashlib
import hmac
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest
from graphql import build_schema
from hypothesis import given
from hypothesis import strategies as st

from resources.errors import ConfigurationError
from resources.graphql.query import Query
from resources.privacy import Privacy
from resources.privacy.pseudonyms import Pseudonyms, replaced

KEY = "a key of the tests, long enough"
TEXTS = st.none() | st.text(max_size=3)
ENTRY = st.none() | st.fixed_dictionaries(
    {"name": TEXTS, "value": TEXTS, "tags": st.none() | st.lists(TEXTS)}
)
ROW = st.fixed_dictionaries({"id": TEXTS, "owner": TEXTS, "entries": st.none() | st.lists(ENTRY, max_size=3)})
ENTRY_TYPE = pa.struct([("name", pa.string()), ("value", pa.string()), ("tags", pa.list_(pa.string()))])
SCHEMA = pa.schema([("id", pa.string()), ("owner", pa.string()), ("entries", pa.list_(ENTRY_TYPE))])
SDL = """
type Query { people(id: ID!): Person }
type Person { id: ID! owner: String age: Int tags: [String] entries: [Entry] grid: [[String]] home: Home }
type Entry { name: String value: String inner: [Inner] }
type Inner { text: String done: Boolean }
type Home { lines: [String] place: Place }
type Place { street: String }
"""
DOCUMENT = """
query people($id: ID!) {
  people(id: $id) {
    id owner age tags grid
    entries { name shownValue: value inner { text done } }
    home { lines place { street } }
  }
}
"""


def expected(text: str | None) -> str | None:
    """Hash a text as docs/privacy.md says."""
    key = hmac.new(KEY.encode(), b"pseudonym", hashlib.sha256).digest()
    return None if text is None else hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def changed(value: Any, path: tuple[str, ...]) -> Any:
    """Do to plain values what is expected of Arrow's."""
    if isinstance(value, list):
        return [changed(item, path) for item in value]
    if isinstance(value, dict):
        return {k: changed(v, path[1:]) if k == path[0] else v for k, v in value.items()}
    return expected(value)


@given(
    st.lists(ROW, max_size=6),
    st.sampled_from([("owner",), ("entries", "value"), ("entries", "tags")]),
    st.data(),
)
def test_only_the_texts_of_the_path_change_however_a_table_is_cut(
    rows: list[dict[str, Any]], path: tuple[str, ...], data: st.DataObject
) -> None:
    whole = pa.Table.from_pylist(rows, schema=SCHEMA)
    cut = data.draw(st.integers(0, len(rows)))
    start = data.draw(st.integers(0, cut))
    table = pa.concat_tables([whole.slice(start, cut - start), whole.slice(cut)])
    found = replaced(table, path, Pseudonyms(KEY).of)
    found.validate(full=True)
    assert found.schema == SCHEMA
    assert found.to_pylist() == [changed(row, path) for row in rows[start:]]


def test_what_lies_under_a_null_is_neither_shown_nor_hashed() -> None:
    texts = pa.array(["hidden", "seen", "hidden too"])
    lists = pa.ListArray.from_arrays(pa.array([0, 1, 2, 3]), texts, mask=pa.array([True, False, True]))
    seen: list[object] = []

    def noted(values: pa.Array) -> pa.Array:
        seen.extend(values.to_pylist())
        return values

    assert replaced(pa.table({"texts": lists}), ("texts",), noted)["texts"].to_pylist() == [
        None,
        ["seen"],
        None,
    ]
    assert seen == ["seen"]


def test_keys_make_pseudonyms_of_their_own() -> None:
    texts = pa.array(["a", None, "a", "b"])
    one, other = Pseudonyms(KEY), Pseudonyms(KEY + "!")
    assert one.of(texts).to_pylist() == [*map(expected, ["a", None, "a", "b"])]
    assert set(one.of(texts).drop_null().to_pylist()).isdisjoint(other.of(texts).to_pylist())
    assert one.check != other.check


def test_millions_of_rows_hash_each_text_once(monkeypatch: pytest.MonkeyPatch) -> None:
    hashed: list[bytes] = []
    digest: Callable[[bytes, bytes, str], bytes] = hmac.digest
    pseudonyms = Pseudonyms(KEY)
    monkeypatch.setattr(
        "resources.privacy.pseudonyms.hmac.digest", lambda *a: hashed.append(a[1]) or digest(*a)
    )
    texts = pa.array(["a", "b"]).take(pa.array([0, 1] * 500_000))
    assert pa.compute.count_distinct(pseudonyms.of(texts)).as_py() == 2
    assert hashed == [b"a", b"b"]


@pytest.mark.parametrize("key", ["", "short"])
def test_a_short_key_makes_none(key: str) -> None:
    with pytest.raises(ConfigurationError, match=r"TARGETDATA_PRIVACY_KEY is not set, or shorter than 16"):
        Pseudonyms(key)


def query(**options: Any) -> Query:
    return Query.parse(DOCUMENT, schema=build_schema(SDL), path="people.graphql", name="people", **options)


@pytest.mark.parametrize(
    ("name", "explode", "place"),
    [
        ("owner", [], ("people", ("owner",))),
        ("entries.shownValue", [], ("people", ("entries", "shown_value"))),
        ("entries.shown_value", ["entries"], ("people__entries", ("shown_value",))),
        ("entries.inner.text", ["entries"], ("people__entries", ("inner", "text"))),
        ("entries.inner.text", "*", ("people__entries__inner", ("text",))),
        ("tags", [], ("people", ("tags",))),
        ("tags", ["tags"], ("people__tags", ("value",))),
        ("grid", ["grid"], ("people__grid", ("value",))),
        ("grid", "*", ("people__grid__value", ("value",))),
        ("home.place.street", "*", ("people", ("home", "place", "street"))),
        ("home.lines", "*", ("people", ("home", "lines"))),
    ],
)
def test_a_text_is_found_wherever_its_list_is(name: str, explode: Any, place: tuple[object, ...]) -> None:
    (found,) = Privacy.of(query(explode=explode, identity="id"), pseudonymise=[name, name]).pseudonyms
    assert (found.table, found.path) == place


def test_the_tables_of_lists_have_the_same_pseudonyms_as_the_lists() -> None:
    inner = {"text": "deep", "done": True}
    row = {"id": "1", "owner": "o", "entries": [{"name": "n", "shown_value": "o", "inner": [inner]}, None]}
    for explode in ([], "*"):
        asked = query(identity="id", explode=explode)
        names = ["owner", "entries.shownValue", "entries.inner.text"]
        tables = asked.exploded(pa.Table.from_pylist([row], schema=asked.rows))
        for place in Privacy.of(asked, pseudonymise=names).pseudonyms:
            tables[place.table] = replaced(tables[place.table], place.path, Pseudonyms(KEY).of)
        if not explode:
            (nested,) = tables["people"].to_pylist()
            continue
        assert tables["people"]["owner"].to_pylist() == [nested["owner"]] == [expected("o")]
        entries = [entry and entry["shown_value"] for entry in nested["entries"]]
        assert tables["people__entries"]["shown_value"].to_pylist() == entries == [expected("o"), None]
        assert tables["people__entries__inner"]["text"].to_pylist() == [expected("deep")]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("id", "id is a key or the identity of people: by it people are asked again"),
        ("age", "age of people is int64; pseudonyms are of texts only"),
        ("entries.inner.done", "entries.inner.done of people is bool"),
        ("entries", "people has no entries; its texts are: (own, )?owner, tags, grid, entries.name"),
        ("ownr", "people has no ownr"),
    ],
)
@pytest.mark.parametrize("identity", [None, "id"])
def test_what_cannot_be_a_pseudonym_is_refused_with_the_reason(
    name: str, said: str, identity: str | None
) -> None:
    with pytest.raises(ConfigurationError, match=said):
        Privacy.of(query(identity=identity) if identity else keyed(), pseudonymise=["owner", name])


def keyed() -> Query:
    """Ask without an identity; the key's column is named `id`, as the row's own would be."""
    document = DOCUMENT.replace("id owner", "own: id owner")
    return Query.parse(document, schema=build_schema(SDL), path="people.graphql", name="people")
