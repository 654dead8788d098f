"""The guide to keys is executed: its settings, its assets, its commands."""

import re
import shlex
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from dotenv import dotenv_values
from pydantic import ValidationError

from pipelines.environment import Environment
from pipelines.variables import PREFIX
from tests.conftest import ROOT
from tests.dagster_runs import Location, copied_checkout
from tests.databases import execute
from tests.engine.test_any_id import identifiers
from tests.local import last_days
from tests.sandbox import Sandbox

GUIDE = (ROOT / "docs" / "keys.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
DAY = last_days()[-1]


def blocks(language: str, text: str = GUIDE) -> list[str]:
    return [block for kind, block in BLOCK.findall(text) if kind == language]


def settings(marker: str) -> dict[str, str]:
    """Give the settings of the block that holds a text, as an `.env` file is read."""
    (text,) = [block for block in blocks("ini") if marker in block]
    return {name: value or "" for name, value in dotenv_values(stream=StringIO(text)).items()}


def code(marker: str, text: str = GUIDE) -> str:
    (block,) = [block for block in blocks("python", text) if marker in block]
    return block


@pytest.fixture
def location(sandbox: Sandbox, tmp_path: Path) -> Location:
    """A copy of the checkout with the feed where the guide has it."""
    clone = copied_checkout(tmp_path / "clone")
    sandbox.write_feed(clone / "data" / "feed", [DAY])
    return Location(sandbox, tmp_path, clone, settings={"TARGETDATA_FEED": ""})


def test_its_settings_are_settings() -> None:
    for block in blocks("ini"):
        for name in dotenv_values(stream=StringIO(block)):
            assert name.removeprefix(PREFIX).lower() in Environment.model_fields
    assert Environment.model_validate(
        {"feed_column": settings("kind,")["TARGETDATA_FEED_COLUMN"]}
    ).key_columns == {
        "id_name": "kind",
        "id_value": "cv.customer.id",
    }


def test_columns_that_cannot_be_told_apart_are_named_as_they_were_set() -> None:
    with pytest.raises(ValidationError, match=r"feed_column\n.*idValue: write it as name=column"):
        Environment.model_validate({"feed_column": "id_name=kind,idValue"})


def test_a_day_takes_its_keys_from_sql_with_settings_only(
    sandbox: Sandbox, tmp_path: Path, postgresql_uri: str
) -> None:
    umids = sandbox.umids_of(DAY)
    moments = [f"{DAY} 00:00:00+00", f"{DAY} 23:59:59.999999+00", f"{DAY + timedelta(days=1)} 00:00:00+00"]
    rows = ", ".join(f"('{umid}', '{moments[n % 3]}')" for n, umid in enumerate([*umids, *umids[:3]]))
    execute(
        postgresql_uri,
        "DROP TABLE IF EXISTS visits",
        "CREATE TABLE visits (umid uuid, seen timestamptz)",
        f"INSERT INTO visits VALUES {rows}, (NULL, '{moments[0]}')",
    )
    location = Location(
        sandbox, tmp_path, settings=settings("KEYS_URI") | {"TARGETDATA_KEYS_URI": postgresql_uri}
    )
    location.materialize(str(DAY))
    inside = {u for n, u in enumerate([*umids, *umids[:3]]) if n % 3 < 2}
    assert location.lake.read("profile_keys", f"date={DAY}")["umid"].to_pylist() == sorted(inside)
    assert location.lake.read("profiles__lookups", f"date={DAY}").num_rows == len(inside)
    assert postgresql_uri.encode() not in location.everything_stored()


@pytest.mark.journey
def test_its_assets_give_keys_to_an_extract(location: Location, tmp_path: Path) -> None:
    crm = f"duckdb://{tmp_path}/crm.duckdb"
    seen = f"('c1', TIMESTAMP '{DAY} 00:00:00'), ('c2', TIMESTAMP '{DAY + timedelta(days=1)} 00:00:00')"
    execute(crm, "CREATE TABLE customers (id text, seen timestamp)", f"INSERT INTO customers VALUES {seen}")
    location.settings["CRM_URI"] = crm
    defs = location.root / "pipelines" / "defs"
    write(defs / "customer_keys" / "assets.py", code("def customer_keys"))
    write(defs / "customer_keys" / "connection.py", code("def crm"))
    write(defs / "phone_keys" / "assets.py", code("def phone_keys"))
    write(defs / "consents" / "assets.py", code("@dg.asset", README).replace("profile_keys", "phone_keys"))
    write(defs / "consents" / "consents.graphql", blocks("graphql", README)[0])
    location.materialize(str(DAY), select="customer_keys,phone_keys,consents")
    folder = f"date={DAY}"
    assert location.lake.read("customer_keys", folder).to_pylist() == [{"customer_id": "c1"}]
    phones = location.lake.read("phone_keys", folder)["umid"].to_pylist()
    assert 0 < len(phones) < len(location.sandbox.umids_of(DAY))
    assert location.lake.read("consents__lookups", folder)["umid"].to_pylist() == sorted(phones)


def write(path: Path, text: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)


def chain(rows: list[dict[str, str]]) -> str:
    """Write people by umid, the others by customer id."""
    lines = [
        f"{row['id_value']},\n" if row["id_name"] == "umid" else f"nobody,{row['id_value']}\n" for row in rows
    ]
    return "umid,crm\n" + "".join(lines)


@pytest.mark.journey
def test_its_commands_and_its_notebook_work(location: Location) -> None:
    rows = identifiers(location.sandbox, "umid", "customer-id")[:20]
    lines = [f"{row['id_name']},{row['id_value']}\n" for row in rows]
    (location.root / "ids.csv").write_text("kind,value\n" + "".join(lines))
    (location.root / "people.graphql").write_text(blocks("graphql")[0])
    (location.root / "chain.csv").write_text(chain(rows))
    extract, chained, start = (shlex.split(block.removeprefix(".venv/bin/")) for block in blocks("sh"))
    assert "20 keys asked = 20 found" in location.run(*extract).stderr
    location.run(*chained)
    answered = pq.read_table(location.root / "chain__lookups.parquet")["answered_by"].to_pylist()
    assert sorted(set(answered)) == ["customer-id", "umid"]
    assert location.run("python", code("CHAIN") + "print(*CHAIN.plan.kinds)").stdout == "umid customer-id\n"
    printed = location.run("python", code("PEOPLE") + "print(len(frame), *list(frame)[:3])").stdout
    assert printed.split() == ["20", "id_name", "id_value", "profile_id"]
    location.run(*start)
    with location.instance() as instance:
        states = [(state.name, state.status.value) for state in instance.all_instigator_state()]
    assert states == [("feed_arrived", "RUNNING")]
