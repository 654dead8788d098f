"""The pages about the tables and reading them are executed: their reads, and assets in a run of the line."""

import re
import shlex
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.dagster_runs import Location, copied_checkout
from tests.documents import commands
from tests.local import last_days
from tests.sandbox import Sandbox
from tests.truth import expected_profiles

PATH, READING = ROOT / "docs" / "tables.md", ROOT / "docs" / "reading.md"
SPARK = "SparkSession"
DAYS = last_days(2)


def blocks(page: Path) -> list[str]:
    """Give a page's Python, without the indentation of lists."""
    text = page.read_text(encoding="utf-8")
    found = re.findall(r"^( *)```python\n(.*?)^ *```$", text, re.MULTILINE | re.DOTALL)
    return [re.sub(rf"^{indent}", "", text, flags=re.MULTILINE) for indent, text in found]


@pytest.mark.journey
def test_its_assets_run_with_the_line_and_its_reads_find_the_tables(sandbox: Sandbox, tmp_path: Path) -> None:
    clone = copied_checkout(tmp_path / "clone")
    sandbox.write_feed(clone / "data" / "feed", DAYS)
    settings = {"TARGETDATA_FEED": "", "TARGETDATA_LAKE": "", "TARGETDATA_START_DATE": str(DAYS[0])}
    location = Location(sandbox, tmp_path, clone, settings=settings)
    assets = [text for text in blocks(PATH) if "@dg.asset" in text]
    names = [re.findall(r"^def (\w+)", text, re.MULTILINE)[-1] for text in assets]
    for name, text in zip(names, assets, strict=True):
        (clone / "pipelines" / "defs" / name).mkdir()
        (clone / "pipelines" / "defs" / name / "assets.py").write_text(text)
    assert names == ["reach", "days_seen", "shares"]
    for day in DAYS:
        location.materialize(str(day))
    (gc,), (extract,) = commands(READING), commands(PATH)
    extract = extract.replace("2026-11-22", str(DAYS[1]))
    location.run(*shlex.split(extract))
    read = [text for page in (READING, PATH) for text in blocks(page)]
    reads = "".join(text for text in read if "@dg.asset" not in text and SPARK not in text)
    code = f"{reads}\n{PRINTED}".replace("2026-11-22", str(DAYS[1]))
    said = location.run("python", code).stdout.splitlines()
    rows = [expected_profiles(sandbox, sandbox.umids_of(day)) for day in DAYS]
    umids = [item for row in rows[1] for item in row["identifiers"] or [] if item and item["name"] == "umid"]
    ids = [row["profile_id"] for day in rows for row in day]
    assert said[-5:] == [
        str([*PEOPLE_TABLES, len(umids)]),
        str([len(rows[1])] * 4),
        str(sum(max(1, len(row["identifiers"] or [])) for day in rows for row in day)),
        str(len(ids)),
        str([len(set(ids)), len(ids)]),
    ]
    assert "would be removed in all: 0 folders" in location.run(*shlex.split(gc)).stdout


PEOPLE_TABLES = ["people", *(f"people__{n}" for n in ("lookups", "identifiers", "cookie_consents"))]
PEOPLE_TABLES.append("people__cookie_consents__purposes")
PRINTED = """
print([*PEOPLE.tables, len(umids)])
reach = lake.read("reach", "date=DAY")["profiles"].to_pandas()
print([table.num_rows, facts.rows, len(frame), int(reach.sum())])
print(len(identifiers))
print(len(pd.read_parquet("data/lake/profiles_wide")) + len(failed))
days = lake.read("days_seen").to_pandas()
print([len(days), int(days["days"].sum())])
""".replace("DAY", str(DAYS[1]))
