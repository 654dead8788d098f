"""docs/retention.md is executed: its limits, its asset, its commands."""

import re
import shlex
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.dagster_runs import Location, copied_checkout
from tests.documents import blocks, commands
from tests.local import last_days
from tests.sandbox import Sandbox

pytestmark = pytest.mark.journey  # whole runs, one after the other

DOCUMENT = ROOT / "docs" / "retention.md"
DAY, NEXT = last_days(3)[:2]


def test_its_asset_is_dropped_by_its_own_limit_and_the_setting_counts_for_the_others(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    sandbox.write_feed(tmp_path / "feed", [DAY])
    location = Location(sandbox, tmp_path, copied_checkout(tmp_path / "clone"))
    (code,) = blocks(DOCUMENT, "python")
    (location.root / "pipelines" / "defs" / "people.py").write_text(f'"""People."""\n\n{code}')
    location.materialize(str(DAY), select="*profiles")
    undeclared = code.replace('"retention_days": 1', "")
    assert undeclared != code
    (location.root / "pipelines" / "defs" / "people.py").write_text(f'"""People."""\n\n{undeclared}')
    location.materialize(str(DAY), select="people")
    (location.root / "pipelines" / "defs" / "people.py").write_text(f'"""People."""\n\n{code}')

    preview, job = map(shlex.split, commands(DOCUMENT))
    said = location.run(*preview).stdout
    assert re.fullmatch(
        rf"people date={DAY}: [\d,]+ rows in people\nwould be dropped in all: 1 partitions\n", said
    )
    location.run(*job)
    lake = location.lake
    assert (lake.manifests("people"), len(lake.manifests("profiles"))) == ([], 1)

    (setting,) = blocks(DOCUMENT, "ini")
    location.settings |= dict([setting.strip().split("=")])
    assert location.run(*preview, "--json").stdout == '{\n  "expired": []\n}\n'
    location.settings["TARGETDATA_RETENTION_DAYS"] = "1"
    location.run(*job)
    assert lake.manifests("profiles") == []
