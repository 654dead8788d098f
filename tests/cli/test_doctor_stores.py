"""`targetdata doctor` on this machine: settings, feed, lake, warehouse, Dagster; and that nothing is left."""

import gzip
import hashlib
import signal
import socket
import subprocess
import time
from contextlib import closing
from pathlib import Path

import dagster as dg
import pytest
from dagster._daemon.types import DaemonHeartbeat

from pipelines.cli.deaf import SECONDS
from pipelines.doctor.stores import inside
from resources.adbc import connect
from resources.privacy import Suppression
from tests.dagster_runs import Location, copied_checkout
from tests.databases import PASSWORD, ROLE, URI_PASSWORD, execute
from tests.doctor import examined, states
from tests.local import last_days
from tests.sandbox import Sandbox

pytestmark = pytest.mark.journey  # each runs the command itself, which takes seconds

DAY = last_days()[-1]
LOCAL = ("settings", "names", "env-file", "feed", "lake", "warehouse", "privacy", "dagster", "daemon", "pool")


@pytest.fixture
def location(sandbox: Sandbox, tmp_path: Path) -> Location:
    sandbox.write_feed(tmp_path / "feed", [DAY])
    return Location(sandbox, tmp_path)


@pytest.fixture
def clone(location: Location) -> Location:
    """The same, of a checkout of its own."""
    location.root = copied_checkout(location.folder / "clone")
    return location


def everything(folder: Path) -> dict[str, str]:
    """Give all files and folders with a digest of their content; of a lock, who held it last is none."""
    files = {path: path.is_file() and path.suffix != ".lock" for path in folder.rglob("*")}
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() if counts else ""
        for path, counts in files.items()
    }


def test_nothing_is_made_where_nothing_was(location: Location) -> None:
    before = everything(location.folder)
    code, _ = examined(location)
    assert code == 0
    assert everything(location.folder) == before


def test_nothing_is_changed_where_runs_have_been(location: Location) -> None:
    location.materialize(str(DAY), select="*")
    before = everything(location.folder)
    code, found = examined(location)
    assert code == 0
    assert "1 runs are in its storage" in found["dagster"]["says"]
    assert "tables can be made in it" in found["warehouse"]["says"]
    assert everything(location.folder) == before


def test_two_doctors_at_once_do_not_see_each_other(location: Location) -> None:
    (location.folder / "lake").mkdir()
    running = [location.start("targetdata", "doctor", "--only", "lake", "--only", "feed") for _ in range(2)]
    assert [process.wait(60) for process in running] == [0, 0]
    left = {path.relative_to(location.folder / "lake") for path in (location.folder / "lake").rglob("*")}
    assert left <= {Path("_staging")}, "the folder may be left, empty, by the one that found it there"


def test_the_doctor_that_ends_last_leaves_no_folder(tmp_path: Path) -> None:
    both = [inside(tmp_path), inside(tmp_path)]
    for each in both:
        each.__enter__()
    for each in both:
        each.__exit__(None, None, None)
    assert list(tmp_path.iterdir()) == []


# Settings


def test_a_name_that_nobody_reads_is_told_of_with_the_nearest(location: Location) -> None:
    location.settings |= {"TARGETDATA_FEED_COLUM": "umid", "GRAPHQL_BEARER": "secret-bearer"}
    code, found = examined(location, "names")
    assert (code, found["names"]["state"]) == (0, "warning")
    assert "TARGETDATA_FEED_COLUM (is TARGETDATA_FEED_COLUMN meant?)" in found["names"]["says"]
    assert "GRAPHQL_BEARER (is GRAPHQL_BEARER_TOKEN meant?)" in found["names"]["says"]
    assert "secret-bearer" not in str(found)


def test_the_settings_of_an_account_are_known_by_its_base_url(location: Location) -> None:
    location.settings |= {"TARGETDATA_EU_BASE_URL": "https://eu.example", "TARGETDATA_EU_LAKE": "x"}
    assert examined(location, "names")[1]["names"]["state"] == "ok"
    location.settings["TARGETDATA_US_LAKE"] = "x"
    assert "TARGETDATA_US_LAKE" in examined(location, "names")[1]["names"]["says"]


def test_a_setting_that_cannot_be_read_is_named_without_its_value(location: Location) -> None:
    location.settings["TARGETDATA_SCHEDULE_HOUR"] = "noon-o-clock"
    code, found = examined(location)
    assert code == 1
    assert "TARGETDATA_SCHEDULE_HOUR: " in found["settings"]["says"]
    assert "noon-o-clock" not in str(found)
    assert set(states(found, "ok")) <= {"names", "env-file", "dagster", "monitoring"}


def test_a_file_of_settings_is_to_be_its_owners_only(clone: Location) -> None:
    file = clone.root / ".env"
    file.write_text("TARGETDATA_REFRESH_TOKEN=offline-in-file\nTARGETDAT_LAKE=x\n")
    file.chmod(0o640)
    code, found = examined(clone, "names", "env-file")
    assert (code, found["env-file"]["state"]) == (0, "warning")
    assert "holds TARGETDATA_REFRESH_TOKEN, and others may open it (mode 0640)" in found["env-file"]["says"]
    assert found["env-file"]["advice"] == "chmod 600 .env"
    assert "TARGETDAT_LAKE (is TARGETDATA_LAKE meant?)" in found["names"]["says"]
    assert "offline-in-file" not in str(found)
    file.chmod(0o600)
    assert examined(clone, "env-file")[1]["env-file"]["state"] == "ok"


def test_a_file_that_git_would_take_is_a_problem(clone: Location) -> None:
    file = clone.root / ".env"
    file.write_text("TARGETDATA_WAREHOUSE=postgresql://me:hidden-password@localhost/x\n")
    file.chmod(0o600)
    subprocess.run(["git", "init", "--quiet"], cwd=clone.root, check=True)
    code, found = examined(clone, "env-file")
    assert (code, found["env-file"]["state"]) == (1, "problem")
    assert "git does not ignore .env, which holds TARGETDATA_WAREHOUSE" in found["env-file"]["says"]
    assert "hidden-password" not in str(found)
    (clone.root / ".gitignore").write_text(".env\n")
    assert examined(clone, "env-file")[0] == 0


def test_a_file_that_git_has_already_is_taken_out_of_it(clone: Location) -> None:
    file = clone.root / ".env"
    file.write_text("TARGETDATA_REFRESH_TOKEN=offline-in-file\n")
    file.chmod(0o600)
    (clone.root / ".gitignore").write_text(".env\n")
    subprocess.run(["git", "init", "--quiet"], cwd=clone.root, check=True)
    subprocess.run(["git", "add", "--force", ".env"], cwd=clone.root, check=True)
    code, found = examined(clone, "env-file")
    assert (code, found["env-file"]["says"]) == (1, "git tracks .env, which holds TARGETDATA_REFRESH_TOKEN")
    advice = found["env-file"]["advice"].split(";")[0]
    assert advice == "git rm --cached .env"
    subprocess.run([*advice.split(), "--quiet"], cwd=clone.root, check=True)
    assert examined(clone, "env-file")[0] == 0


@pytest.mark.parametrize("between", [":", " ", " : ", "-", "\u2028"])
def test_a_token_that_is_written_as_no_setting_is_not_shown(between: str, clone: Location) -> None:
    file = clone.root / ".env"
    file.write_text(f"TARGETDATA_TIMEZONE=UTC\nTARGETDATA_REFRESH_TOKEN{between}offline-pasted==\n", "utf-8")
    file.chmod(0o644)
    code, found = examined(clone, "names", "env-file")
    assert "offline-pasted" not in str(found)
    assert (code, found["names"]["state"]) == (0, "warning")
    assert found["names"]["says"] == ".env has lines that set nothing: 2"
    assert "holds line 2, and others may open it" in found["env-file"]["says"]


def test_a_file_of_settings_in_another_encoding_is_told_of(clone: Location) -> None:
    (clone.root / ".env").write_bytes("# Zürich\nTARGETDATA_TIMEZONE=UTC\n".encode("latin-1"))
    code, found = examined(clone)
    assert code == 1
    says = ".env is no text in UTF-8: save it as that"
    assert {name: found[name]["says"] for name in ("settings", "names", "env-file")} == dict.fromkeys(
        ("settings", "names", "env-file"), says
    )
    for command in (["gc"], ["plan", "profiles"], ["schema", "diff"]):
        done = clone.run("targetdata", *command, check=False)
        assert (done.returncode, done.stderr) == (1, f"Error: {says}\n")


def test_a_token_from_the_file_is_said_to_be_from_there(clone: Location) -> None:
    (clone.root / ".env").write_text(f"TARGETDATA_REFRESH_TOKEN={clone.sandbox.refresh_token}\n")
    clone.settings["TARGETDATA_REFRESH_TOKEN"] = clone.sandbox.refresh_token
    _, found = examined(clone, "token")
    assert found["token"]["says"] == "TARGETDATA_REFRESH_TOKEN, from .env"


# The feed


def test_a_feed_without_files_is_told_of(location: Location) -> None:
    for path in (location.folder / "feed").iterdir():
        path.unlink()
    code, found = examined(location, "feed")
    assert (code, found["feed"]["says"]) == (1, "there is no file of the last 14 days")


def test_a_feed_that_has_stopped_is_warned_of(location: Location) -> None:
    (today,) = (location.folder / "feed").iterdir()
    today.rename(today.with_name(f"events-{last_days()[0]}.jsonl.gz"))
    code, found = examined(location, "feed")
    assert (code, found["feed"]["state"]) == (0, "warning")
    assert f"{last_days()[0]} has 1 file" in found["feed"]["says"]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"no gzip at all", "cannot be read"),
        (gzip.compress(b"no json\n", mtime=0), "line 1: not a JSON object"),
        (gzip.compress(b'{"id": "secret-key-1"}\n', mtime=0), "no column 'umid'; there are: id"),
        (b"", "has no bytes"),
    ],
    ids=["not packed", "no JSON", "no such column", "empty"],
)
def test_a_feed_that_cannot_be_read_is_told_of(content: bytes, says: str, location: Location) -> None:
    (file,) = (location.folder / "feed").iterdir()
    file.write_bytes(content)
    code, found = examined(location, "feed", "lookup")
    assert code == 1
    assert states(found, "problem") == ["feed"]
    assert says in found["feed"]["says"]
    assert "secret-key-1" not in str(found)


def test_of_a_large_file_only_the_first_events_are_read(location: Location) -> None:
    (file,) = (location.folder / "feed").iterdir()
    lines = b'{"umid": "a-key"}\n' * 200_000 + b"broken at the end\n"
    file.write_bytes(gzip.compress(lines, 1))
    code, found = examined(location, "feed")
    assert code == 0
    assert "the first 1,000 events have 1 keys in umid" in found["feed"]["says"]


def test_keys_of_a_database_are_tried(location: Location) -> None:
    file = location.folder / "keys.duckdb"
    execute(f"duckdb://{file}", "CREATE TABLE k AS SELECT 'secret-key-1' AS umid")
    location.settings |= {
        "TARGETDATA_KEYS_URI": f"duckdb://{file}",
        "TARGETDATA_KEYS_QUERY": "SELECT umid FROM k",
    }
    code, found = examined(location, "feed")
    assert code == 0
    assert (
        "the query works and gives umid; its first 1 rows of yesterday have 1 keys" in found["feed"]["says"]
    )
    assert "secret-key-1" not in str(found)
    location.settings["TARGETDATA_KEYS_QUERY"] = "SELECT umid FROM nowhere"
    code, found = examined(location, "feed")
    assert (code, "nowhere" in found["feed"]["says"]) == (1, True)
    location.settings["TARGETDATA_KEYS_QUERY"] = "SELECT 1 AS id"
    assert "umid" in examined(location, "feed")[1]["feed"]["says"]


# The lake


@pytest.mark.parametrize("place", ["a file", "/proc/lake", "s3://bucket/lake"])
def test_a_lake_that_cannot_be_written_is_told_of(place: str, location: Location) -> None:
    path = location.folder / "a file"
    path.write_text("in the way")
    location.settings["TARGETDATA_LAKE"] = str(path) if place == "a file" else place
    code, found = examined(location, "lake")
    assert (code, found["lake"]["state"]) == (1, "problem")
    assert "TARGETDATA_LAKE" in found["lake"]["advice"]


def test_a_lake_whose_folders_are_in_the_way_is_told_of(location: Location) -> None:
    (location.folder / "lake").mkdir()
    (location.folder / "lake" / "_staging").write_text("in the way")
    code, found = examined(location, "lake")
    assert code == 1
    assert "cannot be written" in found["lake"]["says"]


def test_a_disk_with_little_space_is_warned_of(location: Location) -> None:
    small = location.folder / "small"
    small.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=10m", "tmpfs", small], capture_output=True)
    if mounted.returncode:
        pytest.skip("a disk of its own needs the right to mount one")
    try:
        location.settings["TARGETDATA_LAKE"] = str(small)
        _, found = examined(location, "lake")
        assert found["lake"]["state"] == "warning"
        assert "0.0 GiB are free" in found["lake"]["says"]
        assert list(small.iterdir()) == []
        subprocess.run(["mount", "-o", "remount,ro", small], check=True)
        code, found = examined(location, "lake")
        assert (code, "Read-only file system" in found["lake"]["says"]) == (1, True)
    finally:
        subprocess.run(["umount", small], check=True)


def test_a_table_that_this_user_may_not_write_is_told_of(location: Location) -> None:
    table = location.folder / "lake" / "profiles"
    table.mkdir(parents=True)
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "ro", "tmpfs", table], capture_output=True)
    if mounted.returncode:
        pytest.skip("a disk of its own needs the right to mount one")
    try:
        code, found = examined(location, "lake")
    finally:
        subprocess.run(["umount", table], check=True)
    assert (code, found["lake"]["state"]) == (1, "problem")
    assert f"may not write profiles in {location.lake.root}" in found["lake"]["says"]


# The warehouse


def test_a_file_that_is_no_warehouse_is_told_of(location: Location) -> None:
    (location.folder / "warehouse.duckdb").write_text("no database at all, but a text")
    code, found = examined(location, "warehouse")
    assert code == 1
    assert "cannot be opened" in found["warehouse"]["says"]
    assert sorted(p.name for p in location.folder.glob("warehouse*")) == ["warehouse.duckdb"]


def test_a_warehouse_that_somebody_else_has_open_may_be_free_later(location: Location) -> None:
    with closing(connect(f"duckdb://{location.folder / 'warehouse.duckdb'}")):
        code, found = examined(location, "warehouse")
    assert code == 75
    assert "is in use by process" in found["warehouse"]["says"]


def test_a_warehouse_of_an_unknown_kind_is_told_of(location: Location) -> None:
    location.settings["TARGETDATA_WAREHOUSE"] = "mysql://me:hidden-password@localhost/x"
    code, found = examined(location, "warehouse")
    assert (code, "TARGETDATA_WAREHOUSE" in found["warehouse"]["says"]) == (1, True)
    assert "hidden-password" not in str(found)


def test_a_driver_that_is_not_installed_is_told_of_with_its_extra(location: Location) -> None:
    location.settings["TARGETDATA_WAREHOUSE"] = "snowflake://me:hidden-password@account/database"
    code, found = examined(location, "warehouse")
    assert code == 1
    assert "pip install -e '.[snowflake]'" in found["warehouse"]["says"]
    assert "hidden-password" not in str(found)


def test_postgresql_that_is_down_may_be_up_later(location: Location) -> None:
    location.settings["TARGETDATA_WAREHOUSE"] = "postgresql://me:hidden-password@127.0.0.1:9/x"
    code, found = examined(location, "warehouse")
    assert (code, "cannot be reached" in found["warehouse"]["says"]) == (75, True)
    assert "hidden-password" not in str(found)


def test_postgresql_is_tried_and_left_as_it_was(location: Location, postgresql_uri: str) -> None:
    location.settings |= {"TARGETDATA_WAREHOUSE": postgresql_uri, "TARGETDATA_WAREHOUSE_SCHEMA": "doctored"}
    code, found = examined(location, "warehouse")
    assert code == 0
    assert "(PostgreSQL " in found["warehouse"]["says"]
    assert found["warehouse"]["says"].endswith("tables can be made in the schema doctored")
    look = "SELECT 1 FROM information_schema.schemata WHERE schema_name = 'doctored'"
    with connect(postgresql_uri) as connection, connection.cursor() as cursor:
        cursor.execute(look)
        assert cursor.fetchall() == []


def test_a_role_that_may_make_nothing_is_told_of(location: Location, postgresql_uri: str) -> None:
    execute(
        postgresql_uri,
        f"DROP ROLE IF EXISTS {ROLE}",
        f"CREATE ROLE {ROLE} LOGIN PASSWORD '{PASSWORD}'",
    )
    mine = postgresql_uri.replace("postgres:@", f"{ROLE}:{URI_PASSWORD}@")
    location.settings |= {"TARGETDATA_WAREHOUSE": mine, "TARGETDATA_WAREHOUSE_SCHEMA": "doctored"}
    code, found = examined(location, "warehouse")
    assert code == 1
    assert "the making of the schema doctored failed: permission denied" in found["warehouse"]["says"]
    assert PASSWORD not in str(found)
    assert URI_PASSWORD not in str(found)


# The privacy key


def test_pseudonyms_without_a_key_are_told_of(location: Location) -> None:
    location.settings["TARGETDATA_PSEUDONYMISE"] = "owner"
    code, found = examined(location, "privacy")
    assert code == 1
    assert "TARGETDATA_PRIVACY_KEY" in found["privacy"]["advice"]
    location.settings["TARGETDATA_PRIVACY_KEY"] = "a-key-of-pseudonyms-1234"
    code, found = examined(location, "privacy")
    assert (code, "a-key-of-pseudonyms-1234" in str(found)) == (0, False)


def test_nobody_asks_for_who_was_erased(location: Location) -> None:
    key = "a-key-of-pseudonyms-1234"
    location.settings["TARGETDATA_PRIVACY_KEY"] = key
    umids = location.sandbox.umids_of(DAY)
    Suppression.add(location.lake.root, key, [("umid", umid) for umid in umids])
    code, found = examined(location, "lookup", "privacy", options=("--key", f"umid={umids[0]}"))
    assert (code, found["lookup"]["state"]) == (0, "not_checked")
    assert f"{len(umids):,} hashes on the suppression list" in found["privacy"]["says"]
    code, found = examined(location, "lookup")
    assert "one that nobody has is not found" in found["lookup"]["says"]
    assert not any(location.sandbox.answers[umid] for umid in umids)
    location.settings["TARGETDATA_PRIVACY_KEY"] = "another-key-of-pseudonyms"
    code, found = examined(location, "privacy")
    assert (code, "is not the key that" in found["privacy"]["says"]) == (1, True)


# Dagster


def test_a_home_that_is_not_there_or_not_set_up_is_told_of(location: Location) -> None:
    config = (location.home / "dagster.yaml").read_text()
    (location.home / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    code, found = examined(location, "dagster", "pool", "monitoring")
    assert (code, states(found, "warning")) == (0, ["pool", "monitoring"])
    assert "dagster instance concurrency set targetdata 1" in found["pool"]["advice"]
    (location.home / "dagster.yaml").write_text(config.replace("concurrency:", "concurency:"))
    code, found = examined(location, "dagster")
    assert (code, found["dagster"]["state"]) == (1, "problem")
    (location.home / "dagster.yaml").unlink()
    assert examined(location, "dagster")[1]["dagster"]["state"] == "warning"
    location.home.rmdir()
    code, found = examined(location, "dagster", "daemon", "pool")
    assert (code, states(found, "problem")) == (1, ["dagster"])
    assert "DAGSTER_HOME" in found["dagster"]["advice"]
    assert states(found, "not_checked") == ["daemon", "pool"]


def beat(instance: dg.DagsterInstance, seconds_ago: float) -> None:
    """Write what the daemon writes while it lives."""
    for kind in instance.get_required_daemon_types():
        instance.add_daemon_heartbeat(DaemonHeartbeat(time.time() - seconds_ago, kind, "id", []))


def test_a_daemon_is_alive_while_its_heart_beats(location: Location) -> None:
    with location.instance() as instance:
        beat(instance, 0)
        code, found = examined(location, "daemon")
        assert (code, found["daemon"]["state"]) == (0, "ok")
        assert "SCHEDULER" in found["daemon"]["says"]
        beat(instance, 3600)
    code, found = examined(location, "daemon")
    assert (code, found["daemon"]["state"]) == (0, "warning")
    assert "make dev" in found["daemon"]["advice"]


def test_a_limit_that_was_set_in_the_instance_counts(location: Location) -> None:
    with location.instance() as instance:
        instance.event_log_storage.set_concurrency_slots("targetdata", 3)
    _, found = examined(location, "pool")
    assert found["pool"]["says"] == "3 extractions at once in the pool targetdata"


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("import nothing_that_is_there", "ModuleNotFoundError at pipelines/defs/broken/assets.py:1"),
        ("def broken(:", "SyntaxError"),
        ("raise ValueError('secret-value')", "ValueError at pipelines/defs/broken/assets.py:1"),
        (
            "import dagster as dg\n\n@dg.asset(deps=['profiles'], name='profiles')\ndef one(): ...",
            "profiles",
        ),
    ],
)
def test_definitions_that_do_not_load_are_told_of_with_the_place(
    code: str, says: str, clone: Location
) -> None:
    folder = clone.root / "pipelines" / "defs" / "broken"
    folder.mkdir()
    (folder / "assets.py").write_text(code + "\n")
    exit_code, found = examined(clone, "definitions", "lake")
    assert exit_code == 1
    assert "they do not load: " in found["definitions"]["says"]
    assert says in found["definitions"]["says"]
    assert "secret-value" not in str(found)
    assert "dagster definitions validate" in found["definitions"]["advice"]
    assert found["lake"]["state"] == "ok"


def test_ctrl_c_ends_it_while_a_store_takes_connections_and_answers_none(location: Location) -> None:
    with socket.create_server(("127.0.0.1", 0)) as store:
        place = f"endpoint_override=127.0.0.1:{store.getsockname()[1]}&scheme=http"
        location.settings |= {
            "TARGETDATA_FEED": f"s3://bucket/events/{{date}}.jsonl?{place}",
            "AWS_ACCESS_KEY_ID": "key",
            "AWS_SECRET_ACCESS_KEY": "secret",
        }
        process = location.start("targetdata", "doctor", "--only", "feed")
        store.settimeout(60)
        with store.accept()[0]:
            process.send_signal(signal.SIGINT)
            _, said = process.communicate(SECONDS + 20)
    assert (process.wait(), said) == (130, "Interrupted; nothing was changed.\n")
