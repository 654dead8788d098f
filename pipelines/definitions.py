"""The code location: everything in the folder `defs/`, found by itself."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import dagster as dg
from dagster.components.core.component_tree import ComponentTreeException

from pipelines.accounts import of_account
from pipelines.environment import environment
from pipelines.loading import loading
from pipelines.needed import require_needed
from pipelines.owners import owned
from pipelines.root import ROOT
from pipelines.yaml_files import require_components
from resources.errors import ExtractionError

# Said of every check that Dagster adds a file's place to; the pinned minor version keeps it as it is.
warnings.filterwarnings("ignore", message="Parameter `execution_type`", category=dg.BetaWarning)


@dg.definitions
@cache  # a command of Dagster asks for them some six times, and they stay what they are in a process
def defs() -> dg.Definitions:
    """Load `pipelines/defs/`, for one of several accounts if the process is of one."""
    with loading():
        require_components(ROOT / "pipelines" / "defs")
        with plain_errors():
            found = dg.load_from_defs_folder(path_within_project=ROOT)
        require_needed(found)
        return of_account(owned(found, environment().owners))


@contextmanager
def plain_errors() -> Iterator[None]:
    """Say first what is wrong where the project knows it, not where Dagster was in the folder."""
    try:
        yield
    except ComponentTreeException as error:
        cause: BaseException | None = error
        while cause is not None and not isinstance(cause, ExtractionError):
            cause = cause.__cause__
        if cause is None:
            raise
        raise cause from None
