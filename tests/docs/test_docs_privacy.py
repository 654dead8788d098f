"""docs/privacy.md is executed: its settings and commands, its extract, its pseudonym, its list."""

import re
import shlex
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from resources.privacy.pseudonyms import Pseudonyms
from tests.conftest import ROOT
from tests.dagster_runs import Location, copied_checkout
from tests.documents import blocks, commands
from tests.privacy.test_privacy_pages import may_stay
from tests.sandbox import Sandbox

PAGE = ROOT / "docs" / "privacy.md"
DAY = date(2026, 11, 22)
EXTRACT = "    with Extraction(context, lake, CONSENTS).range() as days:\n"


def own_extract(location: Location) -> None:
    """Do what the page says to the extract of the README."""
    privacy, opened = blocks(PAGE, "python")[:2]
    (code,) = [text for text in blocks(ROOT / "README.md", "python") if EXTRACT in text]
    place = location.root / "pipelines" / "defs" / "consents"
    place.mkdir()
    (place / "consents.graphql").write_text(blocks(ROOT / "README.md", "graphql")[0])
    code = code.replace(EXTRACT, opened).replace("\n\n\n@dg.asset", f"\n{privacy}\n\n@dg.asset")
    imported = "from resources.lake import Lake\n"
    (place / "assets.py").write_text(
        code.replace(imported, imported + "from resources.privacy import Privacy\n")
    )


@pytest.mark.journey
def test_its_settings_and_commands_do_what_it_says(sandbox: Sandbox, tmp_path: Path) -> None:
    clone = copied_checkout(tmp_path / "clone")
    sandbox.write_feed(clone / "data" / "feed", [DAY])
    (ini,) = blocks(PAGE, "ini")
    settings = dict(line.split("=", 1) for line in ini.splitlines())
    location = Location(sandbox, tmp_path, clone, settings={"TARGETDATA_FEED": "", **settings})
    own_extract(location)
    people = [p for u in sandbox.umids_of(DAY) if (p := sandbox.person_of(u)) and may_stay(p)]
    erased = people[0]["profileId"]
    person = '"umid", "8c942f68-5d45-4362-9a1c-c0918dd06459"'
    listing = blocks(PAGE, "python")[-1]
    assert person in listing
    location.run("python", listing.replace(person, f'"profile_id", "{erased}"'))
    day, extract, key = map(shlex.split, commands(PAGE))
    assert len(location.run("python", key[-1]).stdout.strip()) == 64
    location.run(*day)
    location.run(*extract)
    location.materialize(str(DAY), select="consents")
    stay = {person["profileId"] for person in people} - {erased}
    published = location.lake.read("profiles", f"date={DAY}")
    written = pq.read_table(clone / "data" / "granted.parquet")
    assert set(published["profile_id"].to_pylist()) == set(written["profile_id"].to_pylist()) == stay
    values = [entry["value"] for row in written["identifiers"].to_pylist() for entry in row or [] if entry]
    assert all(re.fullmatch("[0-9a-f]{64}", value) for value in values if value)
    consents = location.lake.read("consents", f"date={DAY}")["cookie_consents"].to_pylist()
    domains = {entry["domain"] for row in consents for entry in row or [] if entry}
    assert domains == {pseudonym_of("shop.example", settings["TARGETDATA_PRIVACY_KEY"])}
    assert erased not in location.lake.read("consents", f"date={DAY}")["profile_id"].to_pylist()


def test_another_system_makes_the_same_pseudonym() -> None:
    names: dict[str, object] = {}
    exec(next(text for text in blocks(PAGE, "python") if "hmac" in text), names)
    assert names["pseudonym"] == pseudonym_of("0176 123456", "the value of TARGETDATA_PRIVACY_KEY")


def pseudonym_of(text: str, key: str) -> object:
    return Pseudonyms(key).of(pa.array([text]))[0].as_py()
