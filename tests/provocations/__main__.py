"""Provokes every error of the tree in one run with all logging on, and runs commands, in this process.

Its environment names an account, and its arguments a folder, a server that says what it likes, and one
with lists.
"""

import json
import sys
from pathlib import Path

import dagster as dg
import tenacity

from pipelines.extraction import open_slice
from resources import failures
from resources.feed import read_key_file
from resources.graphql.paging import batches, lookup, source
from resources.graphql.sending import circuit, retry
from resources.lake.publishing import claim
from resources.privacy import screen
from resources.warehouse import waiting
from tests.provocations.bench import UMID
from tests.provocations.commands import commands
from tests.provocations.lists import listed
from tests.provocations.runs import (
    KINDS,
    WORDS,
    assets,
    cancelled,
    careless,
    checked,
    drifted,
    frames,
    run,
    shown,
)


def hurry() -> None:
    """Wait for nothing; slices and pages of a few keys."""
    open_slice.SLICE_KEYS, batches.PAGE_KEYS = 2, 2
    retry.BACKOFF = tenacity.wait_none()  # type: ignore[assignment]
    retry.LATER_SECONDS = circuit.LATER_SECONDS = claim.WAIT_SECONDS = 0.01
    waiting.AGAIN_SECONDS = 0.01
    failures.LONGEST_LATER_SECONDS = retry.LONGEST_LATER_SECONDS = 0.01
    failures.LATER_RETRIES, circuit.FAILURES, circuit.SECONDS = 1, 4, 0.0
    screen.AGAIN_SECONDS = 0.01
    lookup.PAUSE_SECONDS = source.PAUSE_SECONDS = 0.0


def main(folder: str, telling_url: str, lists_url: str) -> None:
    """Do all of it; write what came of it, as JSON, into the folder."""
    hurry()
    home = Path(folder)
    keys = read_key_file(str(next((home / "feed").glob("events-*"))), columns=UMID).keys
    with dg.DagsterInstance.get() as instance:
        provoked = run([*assets(home, keys), careless], instance)
        frames(home, instance)
        shown(home, instance)
        done: dict[str, object] = {
            "succeeded": [e.step_key for e in provoked.all_events if e.is_step_success],
            "cancelled": cancelled(home, keys, instance),
            "checks": checked(home, keys, instance),
            "drift": drifted(telling_url, home, instance),
            "lists": listed(lists_url, home, instance),
        }
    done |= {"kinds": KINDS, "words": WORDS, "codes": commands(home)}
    (home / "done.json").write_text(json.dumps(done))


main(*sys.argv[1:])
