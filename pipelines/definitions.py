"""The code location: everything in the folder `defs/`, found by itself."""

from functools import cache

import dagster as dg

from pipelines.accounts import of_account
from pipelines.environment import environment
from pipelines.loading import loading
from pipelines.owners import owned
from pipelines.root import ROOT


@dg.definitions
@cache  # a command of Dagster asks for them some six times, and they stay what they are in a process
def defs() -> dg.Definitions:
    """Load `pipelines/defs/`, for one of several accounts if the process is of one."""
    with loading():
        found = dg.load_from_defs_folder(path_within_project=ROOT)
        return of_account(owned(found, environment().owners))
