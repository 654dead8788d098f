"""Keys from a query: bounds as parameters, any key type, and errors that show neither data nor passwords."""

import subprocess
import sys
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from resources.adbc import _refused, connect, shown
from resources.errors import ColumnMissing, ConfigurationError, FeedError, ServerUnavailable
from resources.feed import FeedKeys, SqlKeys
from resources.feed.distinct import Distinct
from resources.feed.sql import bound
from resources.graphql.texts import digest
from resources.key_files.columns import Columns
from resources.key_files.texts import key_texts
from tests.databases import PASSWORD, ROLE, URI_PASSWORD, execute
from tests.feed_files import SECRET

START, END = datetime(2026, 11, 22, tzinfo=UTC), datetime(2026, 11, 23, tzinfo=UTC)
MOMENTS = {
    "before": "2026-11-21 23:59:59.999999",
    "start": "2026-11-22 00:00:00",
    "last": "2026-11-22 23:59:59.999999",
    "end": "2026-11-23 00:00:00",
}


@pytest.fixture(params=["duckdb", "postgresql"])
def uri(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty database: a file, or a server's schema `public`."""
    if request.param == "duckdb":
        execute(f"duckdb://{tmp_path}/keys.duckdb")
        yield f"duckdb://{tmp_path}/keys.duckdb"
        return
    uri: str = request.getfixturevalue("postgresql_uri")
    execute(uri, "DROP SCHEMA public CASCADE", "CREATE SCHEMA public")
    yield uri


def read(uri: str, query: str, **settings: object) -> FeedKeys:
    return SqlKeys(uri=uri, query=query, **settings).read(start=START, end=END)


def refusal(uri: str, query: str, kind: type[Exception] = FeedError) -> str:
    """The message of the error, which holds no data and has no cause that might."""
    with pytest.raises(kind) as caught:
        read(uri, query)
    assert SECRET not in str(caught.value)
    assert caught.value.__cause__ is None
    return str(caught.value)


@pytest.mark.parametrize("kind", ["timestamptz", "timestamp", "date"])
def test_the_bounds_are_half_open_at_the_exact_edges(uri: str, kind: str) -> None:
    rows = ", ".join(
        f"('{name}', '{text}{'+00' * (kind == 'timestamptz')}')" for name, text in MOMENTS.items()
    )
    execute(uri, f"CREATE TABLE events (umid text, seen {kind})", f"INSERT INTO events VALUES {rows}")
    between = read(uri, "SELECT umid FROM events WHERE seen < $2 AND seen >= $1")
    assert between.keys["umid"].to_pylist() == ["last", "start"]
    since = read(uri, "SELECT umid FROM events WHERE seen >= $1")
    assert since.keys["umid"].to_pylist() == ["end", "last", "start"]
    until = read(uri, "SELECT umid FROM events WHERE seen < $2 AND umid <> '$1' -- not $1")
    assert until.keys["umid"].to_pylist() == ["before", "last", "start"]
    assert read(uri, "SELECT umid FROM events").events == 4


def test_keys_are_distinct_sorted_and_counted(uri: str) -> None:
    values = "('b'), (NULL), ('a'), (' '), ('b'), (''), ('é')"
    execute(uri, "CREATE TABLE events (umid text)", f"INSERT INTO events VALUES {values}")
    found = read(uri, "SELECT umid FROM events")
    assert found.keys.equals(pa.table({"umid": ["a", "b", "é"]}))
    assert (found.events, found.null_keys, found.duplicate_keys) == (7, 3, 1)
    assert found.files == ()


@pytest.mark.parametrize(
    ("kind", "value", "key"),
    [
        ("int", "7", "7"),
        ("bigint", "-9000000000", "-9000000000"),
        ("varchar(9)", "'x'", "x"),
        ("uuid", f"'{uuid.UUID(int=0xABC)}'", str(uuid.UUID(int=0xABC))),
        ("numeric(30, 0)", "123456789012345678901234567890", "123456789012345678901234567890"),
    ],
)
def test_text_integers_and_uuids_are_keys(uri: str, kind: str, value: str, key: str) -> None:
    execute(uri, f"CREATE TABLE t (id {kind})", f"INSERT INTO t VALUES ({value}), (NULL), ({value})")
    found = read(uri, "SELECT id FROM t")
    assert (found.keys["id"].to_pylist(), found.null_keys, found.duplicate_keys) == ([key], 1, 1)


def test_a_column_of_another_type_is_refused_with_a_cast(uri: str) -> None:
    said = refusal(uri, "SELECT 1.5::float8 AS umid")
    assert "'umid' is double, expected text, integers or UUIDs. Cast it, as in CAST(umid AS text)" in said


def test_keys_of_two_columns_are_distinct_together(uri: str) -> None:
    rows = "('umid', 'a'), ('customer-id', 'a'), ('umid', 'a'), ('umid', NULL), (NULL, NULL)"
    execute(uri, "CREATE TABLE t (kind text, value text)", f"INSERT INTO t VALUES {rows}")
    columns = {"id_name": "kind", "id_value": "value"}
    query = "SELECT 1 AS other, value, kind FROM t"
    found = read(uri, query, columns=columns)
    assert found.keys.to_pylist() == [
        {"id_name": "customer-id", "id_value": "a"},
        {"id_name": "umid", "id_value": "a"},
    ]
    assert (found.null_keys, found.duplicate_keys) == (2, 1)
    any_of = read(uri, query, columns=columns, require="any")
    assert any_of.keys.to_pylist()[-1] == {"id_name": "umid", "id_value": None}
    assert (any_of.null_keys, any_of.keys.num_rows) == (1, 3)


def test_no_rows_give_a_typed_empty_table(uri: str) -> None:
    found = read(uri, "SELECT 'x' AS umid WHERE 1 = 0")
    assert found.keys.schema == pa.schema([("umid", pa.string())])
    assert (found.events, found.keys.num_rows) == (0, 0)


def test_the_version_follows_the_keys_and_not_their_order(uri: str) -> None:
    execute(uri, "CREATE TABLE t (umid text)", "INSERT INTO t VALUES ('a'), ('b'), ('c')")
    version = read(uri, "SELECT umid FROM t").version
    assert read(uri, "SELECT umid FROM t ORDER BY umid DESC").version == version
    assert read(uri, "SELECT umid FROM t WHERE umid <> 'b'").version != version


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("SELECT umid FROM nowhere", "nowhere"),
        ("SELECT nothing FROM t", "nothing"),
        ("SELEC umid", "syntax error"),
    ],
)
def test_a_query_that_does_not_fit_is_refused_in_the_databases_words(
    uri: str, query: str, words: str
) -> None:
    execute(uri, "CREATE TABLE t (umid text)")
    assert words in refusal(uri, query)


def test_words_that_may_hold_data_are_not_shown(uri: str) -> None:
    execute(uri, "CREATE TABLE t (umid text)", f"INSERT INTO t VALUES ('{SECRET}')")
    said = refusal(uri, "SELECT umid::int AS umid FROM t")
    assert "the database's words may hold data" in said


def test_a_query_that_the_server_ends_may_be_tried_later(postgresql_uri: str) -> None:
    with pytest.raises(ServerUnavailable, match="interrupted by the database"):
        read(postgresql_uri, "SELECT pg_terminate_backend(pg_backend_pid())::text AS umid")


def test_a_duckdb_file_in_use_by_another_process_may_be_free_later(tmp_path: Path) -> None:
    uri = f"duckdb://{tmp_path}/keys.duckdb"
    execute(uri)
    hold = "import duckdb, sys; file = duckdb.connect(sys.argv[1]); print(1, flush=True); input()"
    command = [sys.executable, "-c", hold, uri.removeprefix("duckdb://")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.readline()
        with pytest.raises(ServerUnavailable, match=rf"in use by process {process.pid} \(.*python"):
            read(uri, "SELECT 1 AS umid")
        process.communicate(b"\n")


def test_a_result_without_the_column_is_refused_with_its_names(uri: str) -> None:
    with pytest.raises(ColumnMissing, match="no column 'umid'; there are: customer, value"):
        read(uri, "SELECT 'a' AS customer, 'b' AS value", columns={"umid": "umid"})


def test_two_columns_of_one_name_are_refused(uri: str) -> None:
    assert "several columns 'umid'" in refusal(
        uri, "SELECT a.umid, b.umid FROM (SELECT 1 umid) a, (SELECT 2 umid) b"
    )


def test_a_query_cannot_write(uri: str) -> None:
    execute(uri, "CREATE TABLE t (umid text)")
    refusal(uri, "INSERT INTO t VALUES ('a') RETURNING umid")
    assert read(uri, "SELECT umid FROM t").events == 0


def test_a_query_that_is_empty_is_asked_for(uri: str) -> None:
    assert "TARGETDATA_KEYS_QUERY" in refusal(uri, " ", ConfigurationError)


@pytest.mark.parametrize("query", ["SELECT $3", "SELECT $12 WHERE $1"])
def test_other_parameters_are_refused(query: str) -> None:
    with pytest.raises(ConfigurationError, match=r"known are \$1, the start, and \$2, the end"):
        bound(query, START, END)


@pytest.mark.parametrize(
    ("query", "used"),
    [
        ("SELECT '$1', \"$1\", $q$ $1 $q$, $$ $2 $$, a$1 -- $1\n/* $2 */", []),
        ("SELECT 'it''s $1', E'it\\'s $1' WHERE x < $2", [END]),
        ("SELECT $2 > $1", [START, END]),
    ],
)
def test_a_parameter_is_one_outside_of_texts_names_and_comments(query: str, used: list[datetime]) -> None:
    assert bound(query, START, END)[1] == used


def test_a_query_may_stand_in_a_file(uri: str, tmp_path: Path) -> None:
    (tmp_path / "keys.sql").write_text("SELECT 'a' AS umid\n")
    assert read(uri, f"{tmp_path}/keys.sql").keys["umid"].to_pylist() == ["a"]
    with pytest.raises(ConfigurationError, match=r"none\.sql cannot be read"):
        read(uri, "none.sql")


# --- connections ---


def unconnected(uri: str, kind: type[Exception]) -> str:
    with pytest.raises(kind) as caught:
        connect(uri, read_only=True)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None or caught.value.__suppress_context__
    assert "hidden" not in str(caught.value)
    return str(caught.value)


def test_a_wrong_password_is_for_a_person_and_not_shown(postgresql_uri: str) -> None:
    execute(postgresql_uri, f"DROP ROLE IF EXISTS {ROLE}", f"CREATE ROLE {ROLE} LOGIN PASSWORD '{PASSWORD}'")
    right = postgresql_uri.replace("postgres:@", f"{ROLE}:{URI_PASSWORD}@")
    assert read(right, "SELECT 1 AS umid").events == 1
    wrong = postgresql_uri.replace("postgres:@", f"{ROLE}:hidden@")
    assert "password authentication failed" in unconnected(wrong, ConfigurationError)
    assert "hidden" not in repr(SqlKeys(uri=wrong, query=""))


def test_a_server_that_is_not_there_may_be_later() -> None:
    said = unconnected("postgresql://me:hidden@127.0.0.1:1/shop?application_name=x", ServerUnavailable)
    assert "postgresql://127.0.0.1:1/shop cannot be reached" in said


@pytest.mark.parametrize(
    "uri",
    [
        "postgresql://me:hid@hidden@host/shop",
        "postgresql://me:hid/hidden@host/shop",
        "postgresql://me:hidden%zz@127.0.0.1:1/shop",
        "postgresql://me:hidden 1@host/shop",
    ],
)
def test_an_address_that_cannot_be_read_is_not_shown(uri: str) -> None:
    assert "write special characters in it as %XX" in unconnected(uri, ConfigurationError)


def test_a_duckdb_file_that_is_missing_is_not_made(tmp_path: Path) -> None:
    assert "there is no DuckDB file" in unconnected(f"duckdb://{tmp_path}/none.duckdb", ConfigurationError)
    assert list(tmp_path.iterdir()) == []
    assert "absolute path" in unconnected("duckdb://keys.duckdb", ConfigurationError)
    (tmp_path / "text.duckdb").write_text("no database" * 99)
    assert "not a valid DuckDB" in unconnected(f"duckdb://{tmp_path}/text.duckdb", ConfigurationError)


def test_an_unknown_database_is_refused_with_the_known_ones() -> None:
    assert "begins with none of duckdb, postgresql" in unconnected(
        "oracle://me:hidden@x/y", ConfigurationError
    )


def test_a_missing_package_is_named_with_what_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "adbc_driver_postgresql.dbapi", None)
    said = unconnected("postgresql://me:hidden@x/y", ConfigurationError)
    assert "needs the package adbc-driver-postgresql: .venv/bin/pip install -e '.[postgresql]'" in said


@given(st.text(alphabet="ab:@/?#% =&", max_size=12))
def test_a_password_is_never_shown_whatever_is_in_it(password: str) -> None:
    assert "x" not in shown(f"postgresql://me:x{password}x@host/shop?password=x")


# --- in Arrow ---


@given(
    st.lists(
        st.lists(st.tuples(st.sampled_from([None, "", "a", "b"]), st.sampled_from([None, "a", " ", "c"])))
    )
)
def test_distinct_rows_are_those_of_plain_python(batches: list[list[tuple[str | None, str | None]]]) -> None:
    rows = [tuple(t if t and t.strip() else None for t in row) for batch in batches for row in batch]
    for require, enough in (("all", all), ("any", any)):
        distinct = Distinct(Columns({"x": "x", "y": "y"}, require))
        for batch in batches:
            distinct.add([key_texts(pa.array([row[i] for row in batch], pa.string())) for i in (0, 1)])
        found = distinct.keys()
        expected = {row for row in rows if enough(row)}
        assert {tuple(row.values()) for row in found.keys.to_pylist()} == expected
        assert found.keys.num_rows == len(expected)
        assert found.null_keys == sum(not enough(row) for row in rows)
        assert found.events == found.null_keys + found.duplicate_keys + found.keys.num_rows


@given(st.lists(st.one_of(st.none(), st.uuids())), st.integers(0, 3))
def test_uuids_in_arrow_are_written_as_python_writes_them(values: list[uuid.UUID | None], skip: int) -> None:
    stored = pa.array([value and value.bytes for value in values], pa.binary(16))[skip:]
    assert key_texts(stored).to_pylist() == [value and str(value) for value in values][skip:]


@given(st.lists(st.one_of(st.none(), st.text(max_size=3))), st.integers(0, 5))
def test_a_digest_depends_on_the_values_and_not_on_chunks(values: list[str | None], cut: int) -> None:
    whole = pa.table({"x": pa.array(values, pa.string())})
    assert digest(pa.concat_tables([whole[:cut], whole[cut:]])) == digest(whole)
    assert digest(pa.table({"x": pa.array([*values, ""], pa.string())})) != digest(whole)


@pytest.mark.parametrize("said", ["", "failed: ", "x failed: \n", "x failed: token=hidden&x hidden"])
def test_a_refusal_has_words_whatever_the_driver_says_and_none_of_them_is_a_secret(said: str) -> None:
    uri = "snowflake://me:hidden@account/db/schema?authenticator=oauth&token=hidden&warehouse=w"
    message = str(_refused(uri, said))
    assert "refuses the connection" in message
    assert "hidden" not in message
