"""An account on this machine: the sandbox, its feed, and the settings that point the pipelines to it."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from tests.sandbox import Sandbox

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "data" / "sandbox"
DAYS = 7


def last_days(number: int = DAYS) -> list[date]:
    """Give so many days up to yesterday, UTC."""
    today = datetime.now(UTC).date()
    return [today - timedelta(days=back) for back in range(number, 0, -1)]


@contextmanager
def local_account(folder: Path = FOLDER, *, people: int = 2000) -> Iterator[tuple[Sandbox, dict[str, str]]]:
    """Run the sandbox and write its feed; give it and the environment for Dagster."""
    with Sandbox(people=people, seed=7) as sandbox:
        sandbox.write_feed(folder / "feed", last_days())
        dagster_home(folder)
        first_day = {"TARGETDATA_START_DATE": str(last_days()[0])}
        yield sandbox, account_environment(sandbox, folder) | first_day


def dagster_home(folder: Path) -> Path:
    """Make a Dagster instance as shipped: the runs of one account are no record of another's tables."""
    home = folder / "dagster"
    home.mkdir(parents=True, exist_ok=True)
    shutil.copy(ROOT / ".dagster" / "dagster.yaml", home)
    return home


def account_environment(sandbox: Sandbox, folder: Path) -> dict[str, str]:
    """Give the settings for a sandbox whose feed and lake are in a folder."""
    return {
        "DAGSTER_HOME": str(folder / "dagster"),
        "TARGETDATA_BASE_URL": sandbox.url,
        "TARGETDATA_REFRESH_TOKEN": sandbox.refresh_token,
        "TARGETDATA_FEED": str(folder / "feed" / "events-{date}.jsonl.gz"),
        "TARGETDATA_LAKE": str(folder / "lake"),
        "TARGETDATA_WAREHOUSE": str(folder / "warehouse.duckdb"),
        "TARGETDATA_WIDE_ATTRIBUTES": "city, segment, visits_30d, age_band, churn_score",
    }
