"""targetdata erase: a person out of every file, table, log and record, and nobody else touched."""

import json
import re
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace

import duckdb
import pyarrow as pa
import pytest
from typer.testing import CliRunner

from pipelines.cli import app
from resources.privacy import Suppression
from tests.canaries import MARK, THINGS, Canaries, written
from tests.dagster_runs import Location
from tests.local import last_days
from tests.sandbox import Sandbox
from tests.sandbox.people import umids

pytestmark = pytest.mark.journey  # whole runs, one after the other

DAYS = last_days(2)
KEY = "0123456789abcdef0123456789abcdef"
TWO_UMIDS = THINGS | {"identifiers[1].name": "umid"}
PEOPLE = 12
TABLES = ["profile_keys", "profiles", "profiles__lookups", "profiles_refresh", "profiles_wide"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("erase")


@pytest.fixture(scope="module")
def account(folder: Path) -> Iterator[Location]:
    """Two days of an account whose people have a canary in every field, and two umids each."""
    canaries = Canaries(PEOPLE, TWO_UMIDS)
    with ExitStack() as stack:
        sandbox = stack.enter_context(Sandbox(people=canaries.people))
        sandbox.write_feed(folder / "feed", DAYS)
        location = Location(sandbox, folder, settings={"TARGETDATA_PRIVACY_KEY": KEY})
        for day in DAYS:
            location.materialize(str(day), select="*")
        yield location


@pytest.fixture
def erased(account: Location, stack: ExitStack, tmp_path: Path) -> Location:
    """Give a copy of it, for a test of its own."""
    shutil.copytree(account.folder, tmp_path / "copy")
    return Location(account.sandbox, tmp_path / "copy", settings=dict(account.settings))


def whom(location: Location) -> tuple[int, list[str]]:
    """Choose the person of most lookups: their number, and their umids."""
    asked = [umid for day in DAYS for umid in location.sandbox.umids_of(day)]
    people = location.sandbox.people
    number = max(range(len(people)), key=lambda i: sum(asked.count(umid) for umid in umids(people[i])))
    return number, umids(people[number])


def erase(location: Location, *arguments: str, check: bool = True) -> tuple[str, dict[str, object]]:
    done = location.run("targetdata", "erase", *arguments, "--json", check=check)
    return done.stdout + done.stderr, json.loads(done.stdout)


def of(number: int, text: bytes) -> list[bytes]:
    """Find a person's canaries in a text."""
    return re.findall(rb"canary-person%d\.[\w.\[\]]*" % number, text)


def found(number: int, root: Path) -> set[str]:
    """Name the files that have a person's canary: in what they say, and in their raw bytes."""
    said = {str(path) for path, text in written(root) if of(number, text)}
    raw = {str(path) for path in root.rglob("*") if path.is_file() and of(number, path.read_bytes())}
    return said | raw


def in_warehouse(location: Location) -> bytes:
    """Give all rows of all tables of the warehouse, and its file as it is."""
    file = location.folder / "warehouse.duckdb"
    with duckdb.connect(str(file), read_only=True) as warehouse:
        names = [name for (name,) in warehouse.sql("SELECT table_name FROM duckdb_tables()").fetchall()]
        rows = [warehouse.sql(f'FROM "{name}"').fetchall() for name in names]
    return repr(rows).encode() + file.read_bytes()


def test_a_canary_person_is_nowhere_afterwards_and_everybody_else_is_where_they_were(
    erased: Location,
) -> None:
    number, (umid, other) = whom(erased)
    lake = erased.lake
    before = {name: lake.manifests(name) for name in TABLES}
    tables = {Path(path).relative_to(lake.root).parts[0] for path in found(number, lake.root)}
    assert tables >= {"profile_keys", "profiles", "profiles__lookups", "profiles_wide"}
    people = set(re.findall(rb"canary-person(\d+)", in_warehouse(erased)))
    assert b"%d" % number in people
    said, facts = erase(erased, "--key", f"umid={umid}")
    assert found(number, lake.root) == set()
    assert of(number, in_warehouse(erased)) == []
    assert set(re.findall(rb"canary-person(\d+)", in_warehouse(erased))) == people - {b"%d" % number}
    assert of(number, erased.everything_stored()) == []
    assert of(number, said.encode()) == []
    rows = facts["rows"]
    assert isinstance(rows, dict)
    for name in TABLES:
        for old, new in zip(before[name], lake.manifests(name), strict=True):
            gone = rows["lake"].get(f"{name} {old.partition}", 0)
            assert (new.rows, new.erased) == (old.rows - gone, gone)
            assert (new.run, new.observed_at) == (old.run, old.observed_at)
            assert (new.generation > old.generation) == any(
                place.endswith(f" {old.partition}") and place.startswith(name.partition("__")[0] + " ")
                for place in rows["lake"]
            )
    assert sum(rows["lake"].values()) >= 5
    listed = Suppression.read(lake.root, KEY)
    for kind, value in (("umid", umid), ("umid", other), ("profile_id", f"{MARK}person{number}.profileId")):
        assert listed.holds(kind, pa.array([value])).to_pylist() == [True]


def test_the_record_says_what_was_done_and_nothing_of_whom(erased: Location) -> None:
    _, (umid, _) = whom(erased)
    _, facts = erase(erased, "--key", f"umid={umid}")
    (path,) = (erased.lake.root / "_erasures").iterdir()
    record = json.loads(path.read_text())
    assert record == {name: facts[name] for name in record} | {"left": 0, "shared": 0}
    assert {"umid", "profile_id"} <= set(record["kinds"])
    assert record["identities"] == 1
    assert MARK not in path.read_text()
    hashes = json.loads((erased.lake.root / "_suppressed" / "list.json").read_text())["hashes"]
    assert [hash_ for hash_ in hashes if hash_ in path.read_text()] == []


def test_the_checks_pass_afterwards_with_what_dagster_has_recorded(erased: Location) -> None:
    _, (umid, _) = whom(erased)
    erase(erased, "--key", f"umid={umid}")
    code = (
        "import sys, dagster as dg\n"
        "from pipelines.definitions import defs\n"
        "from pipelines.checks.evaluations import Evaluations, ACCOUNTING\n"
        "from pipelines.defs.profiles.assets import PROFILES, profiles\n"
        "from resources.lake import Lake\n"
        "with dg.DagsterInstance.get() as instance:\n"
        "    found = Evaluations(asset=profiles.key, names={ACCOUNTING}, query=PROFILES,\n"
        "        lake=Lake(path=sys.argv[1]), partitions=profiles.partitions_def, instance=instance)\n"
        "    for event in found.of(sys.argv[2:]):\n"
        "        erased = event.metadata.get('keys_erased')\n"
        "        print(event.passed, erased.value if erased else 0, event.description)"
    )
    said = erased.run("python", code, str(erased.lake.root), *map(str, DAYS)).stdout.splitlines()
    assert [line.split()[0] for line in said] == ["True"] * len(DAYS), said
    assert sum(int(line.split()[1]) for line in said) > 0, "and the run's own count of keys was compared"


def test_a_dry_run_says_the_same_and_changes_nothing(erased: Location) -> None:
    _, (umid, _) = whom(erased)
    before = {path: path.stat().st_mtime_ns for path in erased.lake.root.rglob("*")}
    _, foreseen = erase(erased, "--key", f"umid={umid}", "--dry-run")
    assert {path: path.stat().st_mtime_ns for path in erased.lake.root.rglob("*")} == before
    _, facts = erase(erased, "--key", f"umid={umid}")
    assert foreseen["rows"] == facts["rows"]


def test_the_same_again_finds_nothing_and_is_no_error(erased: Location) -> None:
    _, (umid, other) = whom(erased)
    erase(erased, "--key", f"umid={umid}")
    _, facts = erase(erased, "--key", f"umid={other}", "--offline")
    assert (facts["rows"], facts["left"]) == ({"lake": {}, "warehouse": {}}, {})


def test_a_person_is_found_by_the_profile_id_too_and_without_the_account(erased: Location) -> None:
    number, _ = whom(erased)
    asked = len(erased.sandbox.requests)
    erase(erased, "--key", f"profile_id={MARK}person{number}.profileId", "--offline")
    assert found(number, erased.lake.root) == set()
    assert len(erased.sandbox.requests) == asked


def test_who_is_not_in_the_lake_is_suppressed_by_what_the_account_says(erased: Location) -> None:
    asked = {umid for day in DAYS for umid in erased.sandbox.umids_of(day)}
    people = erased.sandbox.people
    number = min(range(len(people)), key=lambda i: len(asked & set(umids(people[i]))))
    umid, other = umids(people[number])
    erase(erased, "--key", f"umid={umid}")
    assert Suppression.read(erased.lake.root, KEY).holds("umid", pa.array([other])).to_pylist() == [True]


def test_the_key_may_come_by_the_standard_input(erased: Location) -> None:
    number, (umid, _) = whom(erased)
    code = (
        f"import io, sys; sys.stdin = io.StringIO({umid!r} + '\\n')\n"
        "sys.argv = ['targetdata', 'erase', '--key', 'umid=-', '--offline']\n"
        "from pipelines.cli import app; app()"
    )
    said = erased.run("python", code)
    assert found(number, erased.lake.root) == set()
    assert of(number, (said.stdout + said.stderr).encode()) == []


def test_keys_of_several_people_need_a_yes(erased: Location) -> None:
    people = erased.sandbox.people
    asked = {umid for day in DAYS for umid in erased.sandbox.umids_of(day)}
    first, second = [umid for person in people for umid in umids(person)[:1] if umid in asked][:2]
    keys = ["--key", f"umid={first}", "--key", f"umid={second}", "--offline"]
    refused = erased.run("targetdata", "erase", *keys, check=False)
    assert refused.returncode == 1
    assert "these keys lead to 2 different profile_id; if all of them are to be erased, add --yes" in (
        refused.stderr
    )
    assert not (erased.lake.root / "_suppressed").exists()
    _, facts = erase(erased, *keys, "--yes")
    assert facts["identities"] == 2


def test_an_account_that_cannot_be_reached_is_no_reason_to_erase_by_half(erased: Location) -> None:
    _, (umid, _) = whom(erased)
    erased.settings |= {"TARGETDATA_BASE_URL": "http://127.0.0.1:9", "TARGETDATA_MAX_SECONDS": "1"}
    refused = erased.run("targetdata", "erase", "--key", f"umid={umid}", check=False)
    assert refused.returncode != 0
    assert "Nothing was erased. With --offline the account is not asked." in refused.stderr
    assert umid not in refused.stdout + refused.stderr
    assert not (erased.lake.root / "_suppressed").exists()


def test_a_copy_that_nobody_has_published_is_named_and_the_command_fails(erased: Location) -> None:
    number, (umid, _) = whom(erased)
    copy = erased.lake.root / "profiles" / "copy.parquet"
    copy.write_bytes((erased.lake.root / "profiles" / f"date={DAYS[0]}" / "part-00000.parquet").read_bytes())
    (erased.lake.root / "notes.txt").write_text(f"ask {umid}")
    done = erased.run("targetdata", "erase", "--key", f"umid={umid}", "--offline", check=False)
    assert done.returncode == 1
    assert "still there: notes.txt" in done.stdout
    if of(number, b"".join(text for path, text in written(erased.lake.root) if path == copy)):
        assert "still there: profiles/copy.parquet" in done.stdout
    assert umid not in done.stdout + done.stderr


def test_without_a_key_of_the_list_nothing_is_erased(erased: Location) -> None:
    number, (umid, _) = whom(erased)
    erased.settings.pop("TARGETDATA_PRIVACY_KEY")
    refused = erased.run("targetdata", "erase", "--key", f"umid={umid}", "--offline", check=False)
    assert refused.returncode == 1
    assert "TARGETDATA_PRIVACY_KEY is not set" in refused.stderr
    assert found(number, erased.lake.root)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "name the person with --key umid=VALUE, or give --again for all on the list"),
        (("--key", "secret-value"), "a --key is written as KIND=VALUE, for example --key umid=-"),
        (("--key", "umid="), "--key umid= has no value"),
        (("--key", "umid=a", "--again"), "name the person with --key umid=VALUE, or give --again"),
    ],
)
def test_what_cannot_be_understood_is_refused_without_a_value(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], said: str
) -> None:
    monkeypatch.setattr("pipelines.environment.environment", lambda: SimpleNamespace(lake=tmp_path))
    done = CliRunner().invoke(app, ["erase", *arguments])
    assert done.exit_code == 1
    assert said in done.output
    assert "secret-value" not in done.output


def test_no_later_backfill_brings_the_person_back(erased: Location) -> None:
    number, (umid, _) = whom(erased)
    erase(erased, "--key", f"umid={umid}")
    asked = len(erased.sandbox.requests)
    for day in DAYS:
        erased.materialize(str(day), select="*")
    assert found(number, erased.lake.root) == set()
    assert of(number, in_warehouse(erased)) == []
    assert of(number, erased.everything_stored()) == []
    bodies = b"".join(str(request).encode() for request in erased.sandbox.requests[asked:])
    assert of(number, bodies) == [], "nor is it asked for"
    assert MARK.encode() in bodies, "others are"
    _, facts = erase(erased, "--again")
    assert facts["rows"] == {"lake": {}, "warehouse": {}}


def test_ctrl_c_says_that_it_may_be_run_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("pipelines.environment.environment", interrupted)
    done = CliRunner().invoke(app, ["erase", "--key", "umid=a"])
    assert done.exit_code == 130
    assert done.output == "Interrupted; what was erased stays so; run it again for the rest.\n"


def test_an_answer_that_fails_is_no_reason_to_erase_by_half(erased: Location) -> None:
    _, (umid, _) = whom(erased)
    erased.sandbox.faults.alias_errors = {umid: -1}
    refused = erased.run("targetdata", "erase", "--key", f"umid={umid}", check=False)
    erased.sandbox.faults.alias_errors = {}
    assert refused.returncode == 1
    assert "who the person is" in refused.stderr
    assert umid not in refused.stdout + refused.stderr
    assert not (erased.lake.root / "_suppressed").exists()


def test_who_is_on_the_list_is_not_asked_for_again(erased: Location) -> None:
    _, (umid, other) = whom(erased)
    erase(erased, "--key", f"umid={umid}")
    asked = len(erased.sandbox.requests)
    erase(erased, "--key", f"umid={other}")
    assert len(erased.sandbox.requests) == asked


def test_an_erasure_that_stops_at_the_warehouse_is_done_when_it_is_run_again(erased: Location) -> None:
    number, (umid, other) = whom(erased)
    erased.settings["TARGETDATA_WAREHOUSE_WAIT_SECONDS"] = "0.2"
    with duckdb.connect(str(erased.folder / "warehouse.duckdb"), read_only=True):  # another program's reader
        waits = erased.run("targetdata", "erase", "--key", f"umid={umid}", check=False)
    assert waits.returncode == 75, waits.stderr
    (record,) = (json.loads(path.read_text()) for path in (erased.lake.root / "_erasures").iterdir())
    assert (record["finished"], record["left"]) == (False, None)
    assert record["rows"]["lake"]
    assert of(number, in_warehouse(erased))
    _, facts = erase(erased, "--key", f"umid={other}")
    assert of(number, in_warehouse(erased)) == []
    rows = facts["rows"]
    assert isinstance(rows, dict)
    assert {place.split()[0] for place in rows["warehouse"]} >= {"profiles", "profiles__lookups"}


def test_a_kind_that_leads_to_nobody_is_refused_and_who_is_not_found_is_said(erased: Location) -> None:
    _, (umid, _) = whom(erased)
    typo = erased.run("targetdata", "erase", "--key", f"umdi={umid}", check=False)
    assert typo.returncode == 1
    assert "nobody is looked up by umdi: people are known by profile_id, umid" in typo.stderr
    assert not (erased.lake.root / "_suppressed").exists()
    said = erased.run("targetdata", "erase", "--key", "umid=nobody", "--offline").stdout
    assert "nobody was found by these keys" in said


def test_the_warehouse_is_up_to_date_after_an_erasure(erased: Location) -> None:
    _, (umid, _) = whom(erased)
    erase(erased, "--key", f"umid={umid}")
    code = (
        "import sys\n"
        "from pipelines.connections import warehouse\n"
        "from pipelines.loads.check import _behind\n"
        "from pipelines.loads import tables_of_extract\n"
        "from pipelines.defs.profiles.assets import PROFILES\n"
        "from resources.lake import Lake\n"
        "print(_behind(tables_of_extract(PROFILES), Lake(path=sys.argv[1]), warehouse(), 'a test'))"
    )
    assert erased.run("python", code, str(erased.lake.root)).stdout == "set()\n"
