"""Checks of Dagster: its instance, what the instance is set to, and the definitions."""

import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg

from pipelines.doctor.examination import Outcome, place_of
from pipelines.doctor.finding import Finding, ok, problem, warning
from pipelines.doctor.setup import Setup
from pipelines.plan.seen import open_instance, pool_limit
from pipelines.variables import dagster_home
from resources.errors import ConfigurationError, ExtractionError

CONFIG = "dagster.yaml"
STORAGE = re.compile(r"^((run|event_log|schedule)_)?storage\s*:", re.MULTILINE)
TELLING = (
    *(SyntaxError, ImportError, NameError, AttributeError, ExtractionError),
    *(dg.DagsterInvalidDefinitionError, dg.DagsterInvariantViolationError),
)  # whose words hold names, and no values
VALIDATE = ".venv/bin/dagster definitions validate"


def instance(_: Setup) -> Finding:
    """Open the instance and its storage."""
    home = dagster_home()
    if not home.is_dir():
        return problem(
            f"there is no folder {home}", "set DAGSTER_HOME to the folder that the runs use: make dev"
        )
    if not (home / CONFIG).is_file():
        return warning(
            f"{home} has no {CONFIG}: pools have no limit, and dead runs are not found",
            f"copy .dagster/{CONFIG} into it",
        )
    with opened() as (found, has_storage):
        if not has_storage:
            return ok(f"{home}; no run yet, the first one makes its storage")
        return ok(f"{home}; {found.get_runs_count():,} runs are in its storage")


def daemon(_: Setup) -> Finding:
    """Ask whether the daemon lives, which schedules, sensors and backfills need."""
    with opened() as (found, has_storage):
        statuses = found.get_daemon_statuses() if has_storage else {}
        dead = sorted(name for name, status in statuses.items() if status.required and not status.healthy)
        alive = sorted(name for name, status in statuses.items() if status.required and status.healthy)
    if alive and not dead:
        return ok(f"alive: {', '.join(alive)}")
    what = f"of the daemon do not live: {', '.join(dead)}" if alive else "the daemon does not run"
    return warning(
        f"{what}; schedules, sensors and backfills wait for it", "make dev, or .venv/bin/dagster-daemon run"
    )


def pool(setup: Setup) -> Finding:
    """Look at the limit of the account's pool."""
    name = setup.settings.pool
    with opened() as (found, _):
        limit = pool_limit(found, name)
    if limit is None:
        return warning(
            f"the pool {name} has no limit: any number of extractions would ask the account at once",
            f".venv/bin/dagster instance concurrency set {name} 1, or concurrency.pools.default_limit: 1 in "
            f"{CONFIG}",
        )
    return ok(f"{limit} extraction{'s' * (limit != 1)} at once in the pool {name}")


def monitoring(__: Setup) -> Finding:
    """Look whether Dagster finds runs whose process died."""
    with opened() as (found, _):
        if found.run_monitoring_enabled:
            return ok("runs whose process died are found")
    return warning(
        "off: a run whose process died stays for ever in the list of those under way, and in its pool",
        f"run_monitoring: {{enabled: true}} in {CONFIG}, as in .dagster/{CONFIG}",
    )


def definitions(_: Setup) -> Finding:
    """Load the code location, and everything in it."""
    outcome: Outcome[int] = Outcome()
    with outcome:
        from pipelines.definitions import defs

        found = defs()
        dg.Definitions.validate_loadable(found)
        outcome.value = len(found.resolve_asset_graph().get_all_asset_keys())
    if outcome.error is None:
        return ok(f"{outcome.value} assets and sources load")
    return problem(
        f"they do not load: {_told(outcome.error)}", f"mend that; {VALIDATE} shows the whole of it"
    )


def _told(error: Exception) -> str:
    """Name the first cause, and the place of ours that it came through; others' words may hold anything."""
    cause: BaseException = error
    while cause.__cause__ is not None:
        cause = cause.__cause__
    words = f": {str(cause).splitlines()[0]}" if isinstance(cause, TELLING) and str(cause) else ""
    return f"{type(cause).__name__}{place_of(cause)}{words}"


@contextmanager
def opened() -> Iterator[tuple[dg.DagsterInstance, bool]]:
    """Open the instance; where nothing was stored yet, a copy of it, as opening would make databases."""
    home = dagster_home()
    config = home / CONFIG
    if (home / "history").exists() or _names_storage(config):
        with open_instance() as found:
            yield found, True
        return
    with tempfile.TemporaryDirectory(prefix="doctor-") as folder:
        if config.is_file():
            shutil.copy(config, folder)
        with dg.DagsterInstance.from_config(folder) as found:
            yield found, False


def _names_storage(config: Path) -> bool:
    try:
        return config.is_file() and STORAGE.search(config.read_text("utf-8")) is not None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{config} cannot be read ({type(error).__name__})") from None
