"""The doctor as tests ask it: the real command, its findings by name."""

import json

from tests.dagster_runs import Location

Findings = dict[str, dict[str, str]]


def examined(location: Location, *only: str, options: tuple[str, ...] = ()) -> tuple[int, Findings]:
    """Run the doctor, or some of its checks; give its exit code and what it says."""
    chosen = [word for name in only for word in ("--only", name)]
    done = location.run("targetdata", "doctor", "--json", *chosen, *options, check=False)
    assert "Traceback" not in done.stderr
    assert location.sandbox.refresh_token not in done.stdout + done.stderr
    assert not any(token in done.stdout + done.stderr for token in location.sandbox.access_tokens)
    found = {entry["name"]: entry for entry in json.loads(done.stdout)}
    for entry in found.values():
        assert bool(entry["advice"]) == (entry["state"] in ("warning", "problem")), entry
    return done.returncode, found


def states(found: Findings, state: str) -> list[str]:
    """Name the checks that ended so."""
    return [name for name, entry in found.items() if entry["state"] == state]
