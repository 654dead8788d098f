"""People erased from a lake: each partition whole, whatever dies or runs meanwhile, and what is aside too."""

import json
import os
import signal
from datetime import date
from itertools import count
from pathlib import Path

import dagster as dg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.erasure import Erasure
from pipelines.extraction import Extraction
from pipelines.extraction.staging import Staging
from resources.errors import Fenced, LakeBusy, WarehouseBusy
from resources.graphql.query import Query
from resources.graphql.tables import FETCHED_AT
from resources.lake import Lake
from resources.lake.erasing.store import LakeStore
from resources.lake.publishing.aside import Aside
from resources.lake.publishing.commit import Commit
from resources.privacy import Suppression
from resources.privacy.person import Person, Rule
from tests.conftest import PROFILES_QUERY, SCHEMA, Connect
from tests.crashing import killed
from tests.lake_rows import SCHEMAS, hidden, publish
from tests.published_lake import DAY, DAYS, Made
from tests.published_lake import rows as rows_like
from tests.sandbox import Sandbox

KEY = "0123456789abcdef"
EARLIER = DAYS[-2]
ID, UMID, OTHER_UMID = "id00007", "key00007", "key00107"


@pytest.fixture
def made(memory: Path, profiles_query: Query) -> Made:
    """Two days on which each profile is found by two keys."""
    made = Made(memory / "lake", profiles_query)
    for day in (EARLIER, DAY):
        made.publish(day)
    return made


def erase(lake: Lake, *keys: str, wait_seconds: float = 0.0) -> dict[str, int]:
    erasure = Erasure(lake, KEY, wait_seconds=wait_seconds)
    given = [("umid", key) for key in keys or [UMID]]
    person = erasure.person(given, None)
    if erasure.was_begun(given):
        person = person.and_(erasure.again())
    done = erasure.erase(person)
    assert done.remains.left == {}
    return done.record.rows["lake"]


def again(lake: Lake) -> dict[str, int]:
    erasure = Erasure(lake, KEY)
    return erasure.erase(erasure.again()).record.rows["lake"]


def have(lake: Lake, *values: str) -> set[str]:
    """Name the tables and partitions that have some values, and the files aside that do."""
    found = set()
    for path in lake.root.rglob("*"):
        if path.suffix in (".parquet", ".arrow"):
            table = pq.read_table(path) if path.suffix == ".parquet" else pa.ipc.open_file(path).read_all()
            if set(values) & {value for column in table.columns for value in column.to_pylist() if value}:
                found.add(str(path.relative_to(lake.root).parent))
    return found


def erased_in_child(lake: Lake) -> None:
    erase(lake)


def test_the_rows_go_with_all_keys_that_led_to_them_and_the_accounting_holds(made: Made) -> None:
    done = erase(made.lake)
    assert done == {
        f"{t} {d}": n for d in (EARLIER, DAY) for t, n in (("profiles", 1), ("profiles__lookups", 2))
    }
    assert have(made.lake, ID, UMID, OTHER_UMID) == set()
    assert made.account(asked=210) == ""
    assert "keys: lookups 208, distinct 208, asked by its run 209" in made.account(asked=211)
    manifest = made.lake.manifest("profiles__lookups", DAY)
    assert manifest is not None
    assert (manifest.rows, manifest.erased, manifest.run) == (208, 2, "run")


def test_one_erased_after_another_is_counted_with_them(made: Made) -> None:
    erase(made.lake)
    erase(made.lake, "key00008")
    assert made.account(asked=210) == ""


def test_who_was_asked_for_and_not_found_is_erased_by_the_key_alone(made: Made) -> None:
    done = erase(made.lake, "key00205")
    assert done == {f"profiles__lookups {day}": 1 for day in (EARLIER, DAY)}
    assert made.account(asked=210) == ""


@pytest.mark.journey
def test_an_erasure_that_is_killed_anywhere_is_done_by_the_same_command(
    memory: Path, profiles_query: Query
) -> None:
    points, listed_before = 0, False
    for at in count(1):
        made = Made(memory / str(at), profiles_query)
        for day in (EARLIER, DAY):
            made.publish(day, profiles=8)
        if not killed(made.lake, erased_in_child, at=at):
            break
        points += 1
        for day in (EARLIER, DAY):
            files = made.lake.together(day, ["profiles", "profiles__lookups"])
            rows = {table: pq.read_table(file).num_rows for table, file in files.items()}
            assert rows in (
                {"profiles": 8, "profiles__lookups": 26},
                {"profiles": 7, "profiles__lookups": 24},
            )
            listed = Suppression.read(made.lake.root, KEY)
            names = [("umid", UMID), ("umid", "key00015"), ("profile_id", ID)]
            is_listed = {listed.holds(kind, pa.array([value]))[0].as_py() for kind, value in names}
            assert len(is_listed) == 1
            assert is_listed == {True} or rows["profiles"] == 8, "nobody is removed who may come back"
            listed_before |= is_listed == {True} and rows["profiles"] == 8
        erase(made.lake)
        assert have(made.lake, ID, UMID, "key00015") == set()
        assert not hidden(made.lake, "_commits")
    assert points >= 20
    assert listed_before


def test_the_rest_of_an_erasure_is_found_by_the_list_when_nothing_else_leads_to_it(made: Made) -> None:
    erase(made.lake)
    made.publish(DAY)  # without the keys that would tell who it is
    made.rewrite("profiles__lookups", lambda table: table.filter(pa.compute.not_equal(table["umid"], UMID)))
    erase(made.lake)
    assert have(made.lake, ID, OTHER_UMID) == set()


def test_whoever_has_come_back_is_erased_again(made: Made) -> None:
    erase(made.lake)
    assert again(made.lake) == {}
    made.publish(DAY)
    assert again(made.lake) == {f"profiles {DAY}": 1, f"profiles__lookups {DAY}": 2}
    assert have(made.lake, ID, UMID, OTHER_UMID) == set()


def test_a_run_that_is_about_to_publish_the_person_publishes_nothing(made: Made) -> None:
    for folder in (DAY, "date=2026-11-30"):  # one that is there, and one that is new
        with pytest.raises(Fenced, match="claimed by run erasure-"):
            with made.lake.write(folder, made.query.tables, run="running") as writer:
                given = {"profile_id": [ID], "owner": ["me"], "fetched_at": [None]}
                writer.write({"profiles": rows_like(made.query.tables["profiles"], given)})
                erase_around(made.lake)
    assert have(made.lake, ID, UMID) == set()


def erase_around(lake: Lake) -> None:
    """Erase while a run holds files that cannot be read yet."""
    with pytest.raises(LakeBusy, match="runs hold rows of the person"):
        erase(lake)


def test_an_extraction_that_an_erasure_has_fenced_begins_again_without_the_person(
    sandbox: Sandbox, connect: Connect, memory: Path, profiles_query: Query, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TARGETDATA_PRIVACY_KEY", KEY)
    lake, umids = Lake(path=str(memory)), sandbox.umids_of(date(2026, 11, 22))
    tries: list[int] = []

    @dg.asset
    def profiles(context: dg.AssetExecutionContext) -> None:
        with Extraction(context, lake, profiles_query).partition(None) as opened:
            keys = opened.keys(pa.table({"umid": umids}))
            for page in connect(sandbox).pages(profiles_query, keys=keys, resume=opened.resume):
                opened.write(page)
            tries.append(0 if tries else erased_meanwhile(lake, umids[0]))

    done = dg.materialize([profiles], raise_on_error=False)
    assert done.success
    assert tries == [1, 0], "the first was fenced"
    assert lake.read("profiles__lookups")["umid"].to_pylist() == umids[1:]
    assert again(lake) == {}


def erased_meanwhile(lake: Lake, umid: str) -> int:
    erasure = Erasure(lake, KEY, wait_seconds=0.0)
    return erasure.erase(erasure.person([("umid", umid)], None)).record.fenced


def test_a_run_of_a_table_about_nobody_is_left_alone(made: Made) -> None:
    publish(made.lake, "a")
    with made.lake.write("date=2026-11-30", SCHEMAS, run="running"):
        store = LakeStore(made.lake, id="1")
        store.erase(Person(keys={"umid": frozenset([UMID])}))
        assert store.fenced == 0
    assert made.lake.manifest("people", "date=2026-11-30")


class Warehouse:
    """Has three rows of anybody, and keeps one of them."""

    left = 3

    def count(self, person: Person) -> dict[str, int]:
        return {"profiles": self.left} if person.identities and self.left else {}

    def erase(self, person: Person) -> dict[str, int]:
        gone, self.left = self.left - 1, 1
        return {"profiles": gone}


def test_another_store_is_erased_from_and_looked_through_afterwards(made: Made) -> None:
    erasure = Erasure(made.lake, KEY, {"warehouse": Warehouse()})
    person = erasure.person([("umid", UMID)], None)
    assert erasure.count(person)["warehouse"] == {"profiles": 3}
    done = erasure.erase(person)
    assert done.record.rows["warehouse"] == {"profiles": 2}
    assert done.remains.left == {"warehouse: profiles": 1}


class Unreadable(Warehouse):
    """Cannot be looked through once it was erased from."""

    def count(self, person: Person) -> dict[str, int]:
        raise WarehouseBusy("somebody reads it", after_seconds=1.0)


def test_what_was_removed_is_recorded_although_nobody_could_look_afterwards(made: Made) -> None:
    erasure = Erasure(made.lake, KEY, {"warehouse": Unreadable()})
    with pytest.raises(WarehouseBusy):
        erasure.erase(erasure.person([("umid", UMID)], None))
    (path,) = (made.lake.root / "_erasures").iterdir()
    record = json.loads(path.read_text())
    assert (record["finished"], record["rows"]["warehouse"]) == (False, {"profiles": 2})


def staged(made: Made, run: str) -> Staging:
    """Stage the person's row, as an extraction does."""
    staging = Staging(made.lake.root, made.query, [""], run=run, partitions=["x"])
    staging.begin("digest")
    rows = rows_like(made.query.tables["profiles"], {"profile_id": [ID], "owner": ["me"]})
    held = staging._held
    held.append({"profiles": {"": [rows]}}, {}, None)
    return staging


def test_what_a_dead_run_has_staged_goes_and_what_is_about_others_stays(made: Made) -> None:
    stage = staged(made, "dead")._held
    other = Aside.make(made.lake.root, "profiles", "other")
    pq.write_table(pa.table({"umid": ["somebody"]}), other.path / "failed-x.parquet")
    stage.release()
    other.release()
    assert have(made.lake, ID) >= {str(stage.folder.relative_to(made.lake.root))}
    erase(made.lake)
    assert not stage.folder.exists()
    assert other.path.exists()


def test_failed_keys_beside_a_stage_go_too(made: Made) -> None:
    aside = Aside.make(made.lake.root, "profiles", "failed")
    pq.write_table(pa.table({"umid": [UMID]}), aside.path / "failed-date.parquet")
    aside.release()
    erase(made.lake)
    assert not aside.path.exists()


def test_what_a_living_run_has_staged_is_waited_for_and_says_so(made: Made) -> None:
    stage = staged(made, "living")._held
    with pytest.raises(LakeBusy, match="1 runs hold rows of the person, the first in"):
        erase(made.lake)
    assert have(made.lake, ID) == {str(stage.folder.relative_to(made.lake.root))}, "all else is done"
    stage.release()
    erase(made.lake)
    assert not stage.folder.exists()


@pytest.mark.parametrize("is_fenced", [False, True])
def test_a_run_that_was_fenced_stages_no_more_when_it_ends(
    sandbox: Sandbox, connect: Connect, tmp_path: Path, profiles_query: Query, is_fenced: bool
) -> None:
    def fenced() -> None:
        if is_fenced:
            raise Fenced("another run has it")

    staging = Staging(tmp_path, profiles_query, [""], run="run", partitions=["x"])
    staging.claims.append(fenced)
    keys = pa.table({"umid": sandbox.umids_of(date(2026, 11, 22))})
    for page in connect(sandbox).pages(profiles_query, keys=keys, resume=staging):
        staging.add(page, "")
    staging.leave(KeyboardInterrupt())
    assert bool(list(tmp_path.rglob("slice-*.json"))) != is_fenced


def test_what_is_committed_and_not_in_place_is_erased_as_what_is(memory: Path, profiles_query: Query) -> None:
    made = Made(memory / "lake", profiles_query)
    assert killed(made.lake, publish_and_die)
    assert not (made.lake.root / "profiles" / DAY / "_manifest.json").exists()
    erase(made.lake)
    assert have(made.lake, ID, UMID, OTHER_UMID) == set()
    assert made.account(asked=210) == ""


def publish_and_die(lake: Lake) -> None:
    """Publish, and be killed when it is committed and nothing is moved."""

    def die(commit: Commit, root: Path) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    Commit.finish = die  # type: ignore[method-assign]
    Made(lake.root, Query.load(PROFILES_QUERY, schema=SCHEMA, identity="profileId")).publish()


def test_a_table_of_an_older_generation_is_erased_by_itself(made: Made) -> None:
    child = pa.schema([("profile_id", pa.string()), ("value", pa.string()), FETCHED_AT])
    tables = {**made.query.tables, "profiles__identifiers": child}
    with made.lake.write(EARLIER, tables, run="older") as writer:
        writer.write({"profiles__identifiers": rows_like(child, {"profile_id": [ID, "id1"]})})
    made.publish(EARLIER, run="newer")
    stamp = made.lake.manifest("profiles__identifiers", EARLIER)
    done = erase(made.lake)
    assert done[f"profiles__identifiers {EARLIER}"] == 1
    after = made.lake.manifest("profiles__identifiers", EARLIER)
    assert stamp is not None
    assert after is not None
    assert (after.rows, after.run, after.erased) == (1, "older", 1)
    assert have(made.lake, ID) == set()
    assert len(made.lake.together(EARLIER, ["profiles", "profiles__lookups"])) == 2


def test_a_row_of_somebody_else_who_shares_a_key_stays_and_is_named(made: Made) -> None:
    schema = pa.schema([("profile_id", pa.string()), ("umid", pa.string())])
    with made.lake.write("", {"devices": schema}, run="run") as writer:
        writer.write({"devices": pa.table({"profile_id": [ID, "id00008", None], "umid": [UMID] * 3})})
    erasure = Erasure(made.lake, KEY)
    done = erasure.erase(erasure.person([("umid", UMID)], None))
    assert done.record.rows["lake"]["devices"] == 2
    assert done.remains.shared == {"devices": 1}
    assert done.remains.left == {}
    assert made.lake.read("devices")["profile_id"].to_pylist() == ["id00008"]


def test_numbers_are_names_too_where_the_column_is_called_so(tmp_path: Path) -> None:
    lake = Lake(path=str(tmp_path))
    schema = pa.schema([("customer_id", pa.int64()), ("visits", pa.int64())])
    with lake.write("", {"visits": schema}, run="run") as writer:
        writer.write({"visits": pa.table({"customer_id": [41, 42], "visits": [42, 1]})})
    erasure = Erasure(lake, KEY)
    done = erasure.erase(erasure.person([("customer-id", "42")], None))
    assert lake.read("visits").to_pylist() == [{"customer_id": 41, "visits": 42}]
    assert (done.remains.left, done.remains.shared) == ({}, {})


def test_each_extract_has_its_own_identity(made: Made) -> None:
    """Products have ids as people may have; a product of the same id stays."""
    rows = pa.schema([("sku", pa.string()), ("name", pa.string()), FETCHED_AT])
    lookups = pa.schema([("code", pa.string()), *list(made.query.tables["profiles__lookups"])[1:]])
    with made.lake.write(DAY, {"products": rows, "products__lookups": lookups}, run="run") as writer:
        writer.write(
            {
                "products": rows_like(rows, {"sku": [ID, "b"], "name": ["x", "y"]}),
                "products__lookups": rows_like(
                    lookups, {"code": ["1", "2"], "status": ["found"] * 2, "identity": [ID, "b"]}
                ),
            }
        )
    erasure = Erasure(made.lake, KEY)
    done = erasure.erase(erasure.person([("umid", UMID)], None))
    assert "products" not in " ".join(done.record.rows["lake"])
    assert set(done.remains.shared) == {f"products {DAY}", f"products__lookups {DAY}"}


def test_a_partition_named_by_the_person_is_named_without_them(made: Made) -> None:
    schema = pa.schema([("note", pa.string())])
    with made.lake.write(f"partition={UMID}", {"notes": schema}, run="run") as writer:
        writer.write({"notes": pa.table({"note": ["x"]})})
    erasure = Erasure(made.lake, KEY)
    done = erasure.erase(erasure.person([("umid", UMID)], None))
    assert done.remains.left
    assert UMID not in str(done.remains.left)
    assert UMID not in done.path.read_text()


@given(
    st.lists(
        st.tuples(*[st.sampled_from([None, "a", "b", "c"])] * 3),
        max_size=12,
    ),
    st.frozensets(st.sampled_from("abc"), max_size=2),
    st.frozensets(st.sampled_from("abc"), max_size=2),
)
def test_a_row_is_a_persons_by_the_identity_else_by_a_key(
    rows: list[tuple[str | None, ...]], ids: frozenset[str], keys: frozenset[str]
) -> None:
    schema = pa.schema([(name, pa.string()) for name in ("id", "umid", "gaid")])
    batch = pa.RecordBatch.from_arrays(
        [pa.array([row[i] for row in rows], pa.string()) for i in range(3)], schema=schema
    )
    marks = Rule({"id": ids}, {"umid": keys, "gaid": keys}).marks(batch).to_pylist()
    assert marks == [
        row[0] in ids if row[0] is not None else row[1] in keys or row[2] in keys for row in rows
    ]
