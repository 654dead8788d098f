"""Privacy in real runs: what may not be stored is so nowhere, killed or not, and nobody erased comes back."""

import json
import signal
from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.extraction import Extraction
from resources.errors import ConfigurationError
from resources.graphql.query import Query
from resources.lake import Lake
from resources.privacy import Privacy, Suppression
from tests.canaries import Canaries, written
from tests.chaos.victims import Order, folder
from tests.conftest import PROFILES_QUERY, SCHEMA, Connect
from tests.dagster_runs import Location
from tests.local import last_days
from tests.pipelines.test_refresh import check, publish
from tests.privacy.test_privacy_pages import KEY, RULES, expected_statuses, first_keys, may_stay
from tests.privacy.test_privacy_pseudonyms import changed, expected
from tests.sandbox import Sandbox
from tests.truth import plain

pytestmark = pytest.mark.journey  # whole runs, one after the other

DAYS = last_days(2)
DAY = DAYS[-1]
KILLED_AT = 26  # changes in the lake: some slices of several are staged
KILLED_AT_LISTS = 34  # where each list has a file
SECRET = {"TARGETDATA_PRIVACY_KEY": KEY}
SETTINGS = SECRET | {
    "TARGETDATA_PSEUDONYMISE": "owner, attributes.value",
    "TARGETDATA_TEST_PROFILES": "exclude",
    "TARGETDATA_ONLY_PERMISSION": "CS-OM=GRANTED",
}
HIDDEN = {"owner", "attributes[0].value", "attributes[1].value", "identifiers[1].value"}


@pytest.fixture
def location(sandbox: Sandbox, tmp_path: Path) -> Location:
    sandbox.write_feed(tmp_path / "feed", DAYS)
    return Location(sandbox, tmp_path, settings=dict(SECRET))


def figures(location: Location, asset: str) -> dict[str, Any]:
    with location.instance() as instance:
        (record,) = instance.fetch_materializations(dg.AssetKey(asset), limit=1).records
    assert record.asset_materialization
    return {name: value.value for name, value in record.asset_materialization.metadata.items()}


def lookups(lake: Lake, day: object) -> list[tuple[Any, ...]]:
    rows = lake.read("profiles__lookups", f"date={day}").to_pylist()
    return [(row["umid"], row["status"], row["identity"]) for row in rows]


def expected_rows(sandbox: Sandbox, umids: list[str]) -> list[Any]:
    """Give the rows of those who may stay, some of their texts as pseudonyms."""
    rows = [{k: v for k, v in row.items() if k != "umid"} for row in first_keys(sandbox, umids, may_stay)]
    return [changed(changed(row, ("owner",)), ("attributes", "value")) for row in rows]


def test_the_settings_hold_in_a_run_and_its_accounting_adds_up(location: Location) -> None:
    location.settings |= SETTINGS
    location.materialize(str(DAY))
    umids, lake = location.sandbox.umids_of(DAY), location.lake
    wanted = expected_rows(location.sandbox, umids)
    assert plain(lake.read("profiles", f"date={DAY}")) == wanted
    statuses = expected_statuses(location.sandbox, umids, "profileId")
    assert lookups(lake, DAY) == statuses
    found = figures(location, "profiles")
    assert found["keys_filtered"] == sum(status == "filtered" for _, status, _ in statuses) > 20
    assert (
        found["keys_asked"]
        == len(umids)
        == sum(found[f"keys_{s}"] for s in ("found", "filtered", "not_found"))
    )
    wide = lake.read("profiles_wide", f"date={DAY}").to_pylist()
    assert [row["profile_id"] for row in wide] == [row["profile_id"] for row in wanted]
    assert {row["permission_cs_om"] for row in wide} == {"GRANTED"}
    footer = pq.read_schema(lake.root / "profiles" / f"date={DAY}" / "part-00000.parquet").metadata
    said = footer[b"privacy"].decode()
    assert said.startswith(
        "pseudonyms in attributes.value, owner; no test profiles; only those with CS-OM=GRANTED"
    )
    assert KEY.encode() not in location.everything_stored()
    assert all(KEY.encode() not in path.read_bytes() for path in lake.root.rglob("*") if path.is_file())


def test_who_is_on_the_list_is_neither_asked_nor_kept_and_both_are_counted(location: Location) -> None:
    sandbox, lake = location.sandbox, location.lake
    umids = sandbox.umids_of(DAY)
    by_key, by_id = [u for u in umids if sandbox.person_of(u)][::40][:2]
    erased = sandbox.person_of(by_id)["profileId"]  # type: ignore[index]
    Suppression.add(lake.root, KEY, [("umid", by_key), ("profile_id", erased)])
    location.materialize(str(DAY))
    gone = {u for u in umids if (p := sandbox.person_of(u)) and p["profileId"] == erased}
    assert by_key not in sandbox.answers
    assert by_key not in lake.read("profile_keys", f"date={DAY}")["umid"].to_pylist()
    assert {umid for umid, _, _ in lookups(lake, DAY)} == set(umids) - gone - {by_key}
    assert erased not in lake.read("profiles", f"date={DAY}")["profile_id"].to_pylist()
    assert figures(location, "profile_keys")["keys_suppressed"] == 1
    assert figures(location, "profiles")["keys_suppressed"] == len(gone)
    assert figures(location, "profiles")["keys_asked"] == len(umids) - 1
    assert planned_keys(location) == len(umids) - 1


def test_keys_that_were_published_before_are_not_asked_any_more(location: Location) -> None:
    location.materialize(str(DAY), select="profile_keys")
    umids = location.sandbox.umids_of(DAY)
    Suppression.add(location.lake.root, KEY, [("umid", umid) for umid in umids[:3]])
    location.materialize(str(DAY), select="profiles")
    assert not set(umids[:3]) & set(location.sandbox.answers)
    assert [umid for umid, _, _ in lookups(location.lake, DAY)] == umids[3:]
    found = figures(location, "profiles")
    assert (found["keys_asked"], found["keys_suppressed"]) == (len(umids), 3)
    assert planned_keys(location) == len(umids) - 3


def planned_keys(location: Location) -> int:
    """Give how many keys the plan says that the day has."""
    arguments = ("plan", "profiles", "--from", str(DAY), "--to", str(DAY), "--json")
    (partition,) = json.loads(location.run("targetdata", *arguments).stdout)["partitions"]
    number: int = partition["keys"]
    return number


def test_the_refresh_passes_over_who_is_on_the_list_and_its_check_does_not_wait(location: Location) -> None:
    erased, other = (person["profileId"] for person in location.sandbox.people[:2])
    publish(location.lake, {erased: 50, other: 40})
    location.settings["TARGETDATA_REFRESH_SHARE"] = "0.5"
    Suppression.add(location.lake.root, KEY, [("profile_id", erased)])
    location.materialize(str(DAY), select="profiles_refresh")
    assert location.sandbox.answers == {other: 1}
    assert check(location).metadata["profiles"].value == 1


def test_who_is_filtered_by_the_refresh_was_asked_for(location: Location) -> None:
    location.settings |= SETTINGS | {"TARGETDATA_REFRESH_SHARE": "1"}
    ids = [person["profileId"] for person in location.sandbox.people if not may_stay(person)][:3]
    publish(location.lake, dict.fromkeys(ids, 40))
    location.materialize(str(DAYS[0]), select="profiles_refresh")
    rows = location.lake.read("profiles_refresh__lookups", f"date={DAYS[0]}").to_pylist()
    assert [(r["profile_id"], r["status"]) for r in rows] == [(id_, "filtered") for id_ in sorted(ids)]
    location.sandbox.clear()
    location.materialize(str(DAY), select="profiles_refresh")
    assert not location.sandbox.answers


def test_another_key_stops_a_run_before_it_asks_anything(location: Location) -> None:
    Suppression.add(location.lake.root, KEY + "!", [("umid", "a")])
    done = location.materialize(str(DAY), select="profile_keys", check=False)
    assert done.returncode != 0
    assert "TARGETDATA_PRIVACY_KEY is not the key" in done.stdout + done.stderr
    assert not location.sandbox.answers


def test_pseudonyms_without_a_key_stop_a_run(location: Location) -> None:
    location.settings = {"TARGETDATA_PSEUDONYMISE": "owner"}
    done = location.materialize(str(DAY), select="profile_keys,profiles", check=False)
    assert "TARGETDATA_PRIVACY_KEY is not set" in done.stdout + done.stderr
    assert not location.sandbox.answers


def test_a_setting_that_the_query_does_not_have_is_said_when_definitions_load(location: Location) -> None:
    location.settings = {"TARGETDATA_PSEUDONYMISE": "profileId"}
    done = location.materialize(str(DAY), check=False)
    assert "profile_id is a key or the identity of profiles" in done.stdout + done.stderr


def killed(order: Order) -> None:
    victim = order.start(at=KILLED_AT_LISTS if order.explode else KILLED_AT)
    victim.join()
    assert victim.exitcode == -signal.SIGKILL
    assert not Lake(path=order.path).manifests("profiles")


@pytest.mark.parametrize("explode", [(), ("*",)], ids=str)
def test_a_run_that_was_killed_is_gone_on_with_and_nobody_filtered_comes_in(
    explode: tuple[str, ...], sandbox: Sandbox, memory: Path
) -> None:
    days = {str(day): sandbox.umids_of(day) for day in DAYS}
    order = Order(sandbox.url, sandbox.refresh_token, str(memory), days, explode=explode, privacy=RULES)
    erased = next(p for u in days[str(DAY)] if (p := sandbox.person_of(u)) and may_stay(p))["profileId"]
    order = Order(**{**order.__dict__, "privacy_key": KEY})
    Suppression.add(memory, KEY, [("profile_id", erased)])
    killed(order)
    answered = len(sandbox.answers)
    said = str(memory / "said")
    successor = order.start(said=said)
    successor.join()
    assert (successor.exitcode, Path(said).read_text()) == (0, "")
    assert sum(times > 1 for times in sandbox.answers.values()) < answered, "something was staged"
    lake = Lake(path=order.path)
    for day, umids in days.items():
        wanted = expected_statuses(sandbox, umids, "profileId")
        gone = {u for u in umids if (p := sandbox.person_of(u)) and p["profileId"] == erased}
        assert lookups(lake, day) == [row for row in wanted if row[0] not in gone]
        found = lake.read("profiles", folder(day))["profile_id"].to_pylist()
        people = {row["profile_id"] for row in first_keys(sandbox, umids, may_stay)} - {erased}
        assert sorted(found) == sorted(people)


def test_what_was_staged_under_other_settings_is_not_taken_over(sandbox: Sandbox, memory: Path) -> None:
    days = {str(DAY): sandbox.umids_of(DAY), str(DAYS[0]): sandbox.umids_of(DAYS[0])}
    order = Order(sandbox.url, sandbox.refresh_token, str(memory), days)
    killed(order)
    assert any(path.suffix == ".arrow" for path in memory.rglob("*"))
    sandbox.clear()
    hidden = Order(**{**order.__dict__, "privacy": {"pseudonymise": ["owner"]}, "privacy_key": KEY})
    successor = hidden.start()
    successor.join()
    assert successor.exitcode == 0
    assert set(sandbox.answers) == {umid for umids in days.values() for umid in umids}, "all are asked anew"
    owners = Lake(path=order.path).read("profiles", folder(str(DAY)))["owner"].to_pylist()
    assert set(owners) == {None, expected("teavaro")}


def test_a_pseudonym_stands_for_its_value_in_every_file_also_of_a_killed_run(memory: Path) -> None:
    canaries = Canaries(200)
    with Sandbox(people=canaries.people, seed=7) as sandbox:
        days = {str(day): sandbox.umids_of(day) for day in DAYS}
        order = Order(
            sandbox.url,
            sandbox.refresh_token,
            str(memory),
            days,
            privacy={"pseudonymise": ["owner", "attributes.value", "identifiers.value"]},
            privacy_key=KEY,
        )
        killed(order)
        staged = [(path, said) for path, said in written(memory) if path.suffix == ".arrow"]
        order.start().join()
    assert staged
    published = list(written(memory))
    assert any(path.suffix == ".parquet" for path, _ in published)
    for path, said in [*staged, *published]:
        names = {name.split(".", 1)[1] for name in canaries.found(said)}
        assert not names & HIDDEN, path
    seen = {name.split(".", 1)[1] for _, said in staged for name in canaries.found(said)}
    assert "source" in seen, "else nothing would be found"


def run(
    sandbox: Sandbox, connect: Connect, lake: Lake, privacy: Privacy, *, erase: str = ""
) -> dg.ExecuteInProcessResult:
    """Run an asset without partitions; meanwhile, at its first try, somebody is erased."""
    tries: list[str] = []

    @dg.asset
    def profiles(context: dg.AssetExecutionContext) -> None:
        with Extraction(context, lake, privacy.query, privacy=privacy).partition(None) as opened:
            keys = opened.keys(pa.table({"umid": sandbox.umids_of(DAY)}))
            for page in connect(sandbox).pages(privacy.query, keys=keys, resume=opened.resume):
                opened.write(page)
            if erase and not tries:
                Suppression.add(lake.root, KEY, [("umid", erase)])
            tries.append("")

    return dg.materialize([profiles], raise_on_error=False)


def test_who_is_erased_while_a_run_goes_on_is_not_published(
    sandbox: Sandbox, connect: Connect, memory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TARGETDATA_PRIVACY_KEY", KEY)
    query = Query.load(PROFILES_QUERY, schema=SCHEMA, identity="profileId")
    lake, umids = Lake(path=str(memory)), sandbox.umids_of(DAY)
    done = run(sandbox, connect, lake, Privacy.of(query), erase=umids[0])
    assert done.success
    (retry,) = [event for event in done.all_events if event.is_step_up_for_retry]
    assert "put on the suppression list while profiles was extracted" in str(retry.event_specific_data)
    asked = lake.read("profiles__lookups", "")["umid"].to_pylist()
    assert asked == umids[1:]
    assert sandbox.answers == {umids[0]: 1} | dict.fromkeys(umids[1:], 2)
    assert not list(memory.rglob("*.arrow"))


def test_the_privacy_of_another_query_is_refused(sandbox: Sandbox, memory: Path) -> None:
    query = Query.load(PROFILES_QUERY, schema=SCHEMA, identity="profileId")
    other = Query.load(PROFILES_QUERY, schema=SCHEMA)
    context = dg.build_asset_context()
    with pytest.raises(ConfigurationError, match="the privacy of profiles is not for profiles"):
        Extraction(context, Lake(path=str(memory)), query, privacy=Privacy.of(other))


def test_the_command_leaves_out_and_counts_the_same(location: Location) -> None:
    umids = location.sandbox.umids_of(DAY)
    (events,) = location.sandbox.write_feed(location.folder, [DAY])
    Suppression.add(location.lake.root, KEY, [("umid", umids[0])])
    out = location.folder / "p.parquet"
    options = [
        *("--identity", "profileId", "--exclude-test-profiles", "--only-permission", "CS-OM=GRANTED"),
        *("--pseudonymise", "owner", "--pseudonymise", "attributes.value", "--keys", str(events)),
    ]
    done = location.run("targetdata", "extract", str(PROFILES_QUERY), "--out", str(out), *options)
    wanted = expected_statuses(location.sandbox, umids[1:], "profileId")
    counts = {s: sum(status == s for _, status, _ in wanted) for s in ("found", "filtered", "not_found")}
    assert (
        f"{len(umids)} keys asked = {counts['found']} found + {counts['filtered']} filtered + "
        f"{counts['not_found']} not found + 0 failed + 1 suppressed"
    ) in " ".join((done.stdout + done.stderr).split())
    assert plain(pq.read_table(out)) == expected_rows(location.sandbox, umids[1:])
    assert umids[0] not in location.sandbox.answers
    assert umids[0] not in json.dumps(pq.read_table(out.with_name("p__lookups.parquet"))["umid"].to_pylist())
