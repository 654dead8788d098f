"""Importing many modules at once."""

import atexit
import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def loading() -> Iterator[None]:
    """Look for no garbage while modules load: there is little, and what is loaded stays to the end.

    Python would look through all of it again and again, and once more when the process ends. What was garbage
    before stays too, as in a notebook.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was_enabled:
            gc.enable()


@atexit.register
def _release() -> None:
    """Let DuckDB's functions be collected at the end, or it tells of them as leaked."""
    if "duckdb" in sys.modules:
        gc.unfreeze()
