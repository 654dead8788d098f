"""People and partitions out of the warehouse: from all its tables at once, and nothing else of it."""

import stat
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from threading import Thread

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from resources.errors import WarehouseBusy
from resources.privacy import Suppression
from resources.privacy.person import Person
from resources.warehouse.database import Database
from resources.warehouse.erasure import WarehouseStore, _places
from resources.warehouse.flat import flat_tables
from resources.warehouse.folders import folder_of, rows_of
from resources.warehouse.loaded_table import LoadedTable
from resources.warehouse.loading import Partition
from resources.warehouse.resource import Warehouse
from resources.warehouse.retention import WarehouseHolder
from resources.warehouse.stamps import Generation
from tests.databases import execute, postgresql

AT = datetime(2026, 11, 22, 5, tzinfo=UTC)
PEOPLE = pa.schema(
    [("profile_id", pa.string()), ("age", pa.int64()), ("fetched_at", pa.timestamp("us", "UTC"))]
)
LOOKUPS = pa.schema([("umid", pa.string()), ("identity", pa.string()), ("fetched_at", PEOPLE.field(2).type)])
COLUMN = pa.field("date", pa.date32())
TABLES = {
    name: LoadedTable(flat_tables(name, schema, [schema.names[0]])[0], COLUMN)
    for name, schema in {"people": PEOPLE, "people__lookups": LOOKUPS}.items()
}
ANN = Person(
    identities={"profile_id": frozenset(["ann"])},
    keys={"umid": frozenset(["a1", "a2"])},
    identified={"people": "profile_id"},
)
SOMEONE = "canary-of-a-person-who-is-no-more"
DAYS = [date(2026, 11, 21), date(2026, 11, 22)]


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with postgresql() as uri:
        yield uri


@pytest.fixture(params=["duckdb", "postgresql"])
def warehouse(request: pytest.FixtureRequest, tmp_path: Path) -> Warehouse:
    uri = f"duckdb://{tmp_path}/w.duckdb"
    if request.param == "postgresql":
        uri = request.getfixturevalue("server")
    return Warehouse(uri=uri, namespace=tmp_path.name, wait_seconds=20)


def load(
    warehouse: Warehouse, day: date, people: Sequence[str], lookups: Sequence[tuple[str, str | None]]
) -> None:
    given = {
        "people": [[person, 30, AT] for person in people],
        "people__lookups": [[umid, person, AT] for umid, person in lookups],
    }
    place = Partition(f"date={day}", pa.scalar(day))
    with warehouse.replacing(list(TABLES.values()), place, run="run") as replacement:
        for name, table in TABLES.items():
            columns = [
                pa.array(c, f.type)
                for c, f in zip(zip(*given[name], strict=True), table.flat.schema, strict=True)
            ]
            batch = pa.RecordBatch.from_arrays(columns, schema=table.flat.schema)
            replacement.replace(table, [batch], Generation(1, "run"))


def rows(warehouse: Warehouse, table: str, *columns: str) -> list[tuple[object, ...]]:
    with warehouse.open("a test") as database:
        text = ", ".join(columns)
        return sorted(
            database.rows(f'SELECT {text} FROM "{warehouse.namespace}"."{table}"', "a test"), key=repr
        )


def fill(warehouse: Warehouse) -> None:
    load(warehouse, DAYS[0], ["ann", "bob"], [("a1", "ann"), ("b", "bob")])
    load(warehouse, DAYS[1], ["bob", "ann"], [("a2", None), ("b", "bob"), ("shared", "bob")])


def test_their_rows_go_from_all_tables_and_days_and_the_stamps_know_it(warehouse: Warehouse) -> None:
    fill(warehouse)
    store = WarehouseStore(warehouse, run="an erasure")
    expected = {
        "people date=2026-11-21": 1,
        "people date=2026-11-22": 1,
        "people__lookups date=2026-11-21": 1,
        "people__lookups date=2026-11-22": 1,
    }
    assert store.count(ANN) == expected
    assert store.erase(ANN) == expected
    assert store.count(ANN) == store.erase(ANN) == {}
    assert rows(warehouse, "people", "profile_id") == [("bob",)] * 2
    assert rows(warehouse, "people__lookups", "umid") == [("b",), ("b",), ("shared",)]
    assert rows(warehouse, "targetdata_loads", "table_name", "partition_name", "row_count") == [
        ("people", "date=2026-11-21", 1),
        ("people", "date=2026-11-22", 1),
        ("people__lookups", "date=2026-11-21", 1),
        ("people__lookups", "date=2026-11-22", 2),
    ]
    assert rows(warehouse, "people__latest", "profile_id") == [("bob",)], "the views are still there"


def test_a_key_that_has_led_to_somebody_else_leaves_their_row(warehouse: Warehouse) -> None:
    fill(warehouse)
    person = Person(ANN.identities, {"umid": frozenset(["a1", "a2", "shared"])}, identified=ANN.identified)
    WarehouseStore(warehouse, run="an erasure").erase(person)
    assert ("shared",) in rows(warehouse, "people__lookups", "umid")


def test_the_tables_of_others_are_looked_through_too(warehouse: Warehouse) -> None:
    fill(warehouse)
    with warehouse.open("a test") as database:
        own = f'"{warehouse.namespace}"."own"'
        database.execute(f"CREATE TABLE {own} (profile_id TEXT, visits BIGINT)", "")
        database.execute(f"INSERT INTO {own} VALUES ('ann', 1), ('bob', 2), (NULL, 3)", "")
    assert WarehouseStore(warehouse, run="an erasure").erase(ANN)["own"] == 1
    assert rows(warehouse, "own", "visits") == [(2,), (3,)]


def test_a_database_without_any_load_is_looked_through(warehouse: Warehouse) -> None:
    with warehouse.open("a test") as database:
        database.make_namespace()
        database.execute(f'CREATE TABLE "{warehouse.namespace}"."own" (date DATE, profile_id TEXT)', "")
        database.execute(f"INSERT INTO \"{warehouse.namespace}\".\"own\" VALUES ('2026-11-22', 'ann')", "")
    assert WarehouseHolder(warehouse, run="retention").drop(["own"], "date=2026-11-22") == 0
    assert WarehouseStore(warehouse, run="an erasure").erase(ANN) == {"own date=2026-11-22": 1}


def test_a_warehouse_that_is_not_there_holds_nobody_and_is_not_made(tmp_path: Path) -> None:
    store = WarehouseStore(Warehouse(uri=f"duckdb://{tmp_path}/none/w.duckdb"), run="an erasure")
    assert store.count(ANN) == store.erase(ANN) == {}
    assert list(tmp_path.iterdir()) == []


def test_a_load_that_is_under_way_is_waited_for(warehouse: Warehouse) -> None:
    fill(warehouse)
    hasty = Warehouse(uri=warehouse.uri, namespace=warehouse.namespace, wait_seconds=0.2)
    with warehouse.replacing(
        list(TABLES.values()), Partition("date=2026-11-21", pa.scalar(DAYS[0])), run="slow"
    ):
        with pytest.raises(WarehouseBusy, match="run slow"):
            WarehouseStore(hasty, run="an erasure").erase(ANN)
        patient = Thread(target=WarehouseStore(warehouse, run="an erasure").erase, args=[ANN])
        patient.start()
    patient.join()
    assert rows(warehouse, "people", "profile_id") == [("bob",)] * 2


def test_duckdbs_file_is_written_anew(tmp_path: Path) -> None:
    warehouse = Warehouse(uri=f"duckdb://{tmp_path}/w.duckdb", namespace="raw")
    load(warehouse, DAYS[0], [SOMEONE, *map(str, range(5000))], [("b", "bob")])
    assert SOMEONE.encode() in (tmp_path / "w.duckdb").read_bytes()
    person = Person({"profile_id": frozenset([SOMEONE])}, identified=ANN.identified)
    WarehouseStore(warehouse, run="an erasure").erase(person)
    assert SOMEONE.encode() not in (tmp_path / "w.duckdb").read_bytes()
    assert {path.name for path in tmp_path.iterdir()} == {"w.duckdb", "w.duckdb.lock"}
    assert len(rows(warehouse, "people", "profile_id")) == 5000


def test_a_partition_is_dropped_from_all_tables_that_were_made_of_it(warehouse: Warehouse) -> None:
    fill(warehouse)
    holder = WarehouseHolder(warehouse, run="retention")
    assert holder.drop(["people"], "date=2026-11-21") == 4
    assert holder.drop(["people"], "date=2026-11-21") == 0
    assert rows(warehouse, "people", "date") == [(DAYS[1],)] * 2
    assert rows(warehouse, "people__lookups", "date") == [(DAYS[1],)] * 3
    assert rows(warehouse, "targetdata_loads", "table_name", "partition_name") == [
        ("people", "date=2026-11-22"),
        ("people__lookups", "date=2026-11-22"),
    ]


def test_a_partition_is_dropped_after_the_load_of_it_that_is_under_way(warehouse: Warehouse) -> None:
    fill(warehouse)
    hasty = Warehouse(uri=warehouse.uri, namespace=warehouse.namespace, wait_seconds=0.2)
    place = Partition("date=2026-11-21", pa.scalar(DAYS[0]))
    with warehouse.replacing(list(TABLES.values()), place, run="slow"):
        with pytest.raises(WarehouseBusy, match="run slow"):
            WarehouseHolder(hasty, run="retention").drop(["people"], "date=2026-11-21")
    holder = WarehouseHolder(warehouse, run="retention")
    assert holder.folders("people") == ["date=2026-11-21", "date=2026-11-22"]
    assert holder.drop(["people"], "date=2026-11-21") == 4
    assert holder.folders("people") == ["date=2026-11-22"]


def test_tables_of_other_extracts_keep_their_partition(warehouse: Warehouse) -> None:
    fill(warehouse)
    assert WarehouseHolder(warehouse, run="retention").drop(["peopl", "peo__ple"], "date=2026-11-21") == 0
    assert len(rows(warehouse, "people", "date")) == 4


def test_nothing_is_dropped_from_a_warehouse_that_is_not_there(tmp_path: Path) -> None:
    warehouse = Warehouse(uri=f"duckdb://{tmp_path}/none/w.duckdb")
    assert WarehouseHolder(warehouse, run="retention").drop(["people"], "date=2026-11-21") == 0
    assert list(tmp_path.iterdir()) == []


@given(st.text(min_size=1), st.dates(), st.datetimes(min_value=datetime(1970, 1, 1)))
def test_a_folder_and_its_value_name_each_other(key: str, day: date, hour: datetime) -> None:
    key = key.encode("utf-8", "ignore").decode()
    hour = hour.replace(minute=0, second=0, microsecond=0, tzinfo=UTC)
    for column, value in (("partition", key), ("date", day), ("hour", hour)):
        condition = rows_of(folder_of(column, value))
        literal = condition.expression.this.this
        assert literal == (key if column == "partition" else value.isoformat())


def someone_in(tmp_path: Path) -> tuple[Warehouse, Person, Path]:
    """Give a DuckDB file with a person in it, beside many others."""
    warehouse = Warehouse(uri=f"duckdb://{tmp_path}/w.duckdb", namespace="raw", wait_seconds=0.2)
    load(warehouse, DAYS[0], [SOMEONE, *map(str, range(5000))], [("b", "bob")])
    return (
        warehouse,
        Person({"profile_id": frozenset([SOMEONE])}, identified=ANN.identified),
        tmp_path / "w.duckdb",
    )


def test_an_older_generation_of_them_is_in_no_free_block_of_duckdbs_file(tmp_path: Path) -> None:
    warehouse, person, file = someone_in(tmp_path)
    load(warehouse, DAYS[0], ["bob"], [("b", "bob")])
    assert SOMEONE.encode() in file.read_bytes()
    assert WarehouseStore(warehouse, run="an erasure").erase(person) == {}
    assert SOMEONE.encode() not in file.read_bytes()


def test_an_erasure_that_could_not_write_the_file_anew_does_so_when_it_is_run_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    warehouse, person, file = someone_in(tmp_path)
    store = WarehouseStore(warehouse, run="an erasure")
    (tmp_path / "w.duckdb.anew").mkdir()
    (tmp_path / "w.duckdb.anew" / "w.duckdb").write_text("what a killed one has left")
    with monkeypatch.context() as patch:
        patch.setattr(Database, "copy_to", interrupted)
        with pytest.raises(KeyboardInterrupt):
            store.erase(person)
    assert SOMEONE.encode() in file.read_bytes()
    assert store.erase(person) == {}
    assert SOMEONE.encode() not in file.read_bytes()
    assert {path.name for path in tmp_path.iterdir()} == {"w.duckdb", "w.duckdb.lock"}


def interrupted(*_: object) -> None:
    raise KeyboardInterrupt


def test_a_file_keeps_its_rights_and_the_link_that_leads_to_it(tmp_path: Path) -> None:
    _, person, file = someone_in(tmp_path)
    file.chmod(0o600)
    (tmp_path / "link.duckdb").symlink_to(file)
    linked = Warehouse(uri=f"duckdb://{tmp_path}/link.duckdb", namespace="raw")
    assert WarehouseStore(linked, run="an erasure").erase(person)["people date=2026-11-21"] == 1
    assert (tmp_path / "link.duckdb").is_symlink()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert SOMEONE.encode() not in file.read_bytes()


def test_who_is_on_the_list_is_found_by_identity_and_by_key(warehouse: Warehouse, tmp_path: Path) -> None:
    fill(warehouse)
    listed = Suppression.add(tmp_path, "0123456789abcdef", [("profile_id", "ann"), ("umid", "a2")])
    known = Person(identified=ANN.identified)
    found = WarehouseStore(warehouse, run="an erasure").on(listed, known, {"umid"})
    assert (found.identities, found.keys) == (
        {"profile_id": frozenset(["ann"])},
        {"umid": frozenset(["a2"])},
    )


def test_a_table_of_others_that_may_not_be_changed_keeps_ours_from_nothing_and_is_still_counted(
    server: str, tmp_path: Path
) -> None:
    execute(server, "CREATE ROLE loader LOGIN", f'CREATE SCHEMA "{tmp_path.name}" AUTHORIZATION loader')
    own = f'"{tmp_path.name}".theirs'
    execute(server, f"CREATE TABLE {own} (profile_id TEXT)", f"INSERT INTO {own} VALUES ('ann')")
    execute(server, f"GRANT SELECT ON {own} TO loader")
    loader = Warehouse(uri=server.replace("postgres:@", "loader:@"), namespace=tmp_path.name)
    fill(loader)
    store = WarehouseStore(loader, run="an erasure")
    assert "people date=2026-11-21" in store.erase(ANN)
    assert store.count(ANN) == {"theirs": 1}


def test_no_value_of_theirs_is_in_a_statement_that_the_server_logs(server: str, tmp_path: Path) -> None:
    warehouse = Warehouse(uri=server, namespace=tmp_path.name)
    fill(warehouse)
    with warehouse.open("a test") as database:
        for place in _places(database, ANN):
            assert "ann" not in place.where.sql("postgres")
            assert "a1" not in place.where.sql("postgres")
            assert set(place.values) <= {"ann", "a1", "a2"}
