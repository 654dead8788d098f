"""The code location: everything in the folder `defs/`, found by itself."""

import dagster as dg

from pipelines.environment import ROOT


@dg.definitions
def defs() -> dg.Definitions:
    """Load `pipelines/defs/`."""
    return dg.load_from_defs_folder(path_within_project=ROOT)
