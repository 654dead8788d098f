"""How the doctor goes from check to check, whatever one of them finds, raises or waits for."""

import json
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.doctor.checks import checks
from pipelines.doctor.examination import Check, examine
from pipelines.doctor.finding import Finding, State, not_checked, ok, problem, warning
from pipelines.doctor.setup import Setup
from resources.errors import ConfigurationError, ServerUnavailable
from tests.conftest import ROOT
from tests.dagster_runs import Location
from tests.documents import blocks
from tests.sandbox import Sandbox


@pytest.fixture
def location(sandbox: Sandbox, tmp_path: Path) -> Location:
    return Location(sandbox, tmp_path)


SECRET = "secret-value-8270341"


def raising(error: Exception) -> Callable[[Setup], Finding]:
    def look(_: Setup) -> Finding:
        raise error

    return look


def waiting(_: Setup) -> Finding:
    threading.Event().wait(60)
    return ok("never")


LOOKS: dict[str, tuple[Callable[[Setup], Finding], State]] = {
    "ok": (lambda _: ok("well"), State.OK),
    "warning": (lambda _: warning("hm", "do this"), State.WARNING),
    "problem": (lambda _: problem("no", "do that"), State.PROBLEM),
    "not checked": (lambda _: not_checked("nothing there"), State.NOT_CHECKED),
    "a person": (raising(ConfigurationError("wrong")), State.PROBLEM),
    "later": (raising(ServerUnavailable("down", after_seconds=1)), State.PROBLEM),
    "unexpected": (raising(KeyError(SECRET)), State.PROBLEM),
    "late": (waiting, State.PROBLEM),
}


@settings(max_examples=30)
@given(
    st.lists(st.tuples(st.sampled_from(sorted(LOOKS)), st.sets(st.integers(0, 4))), min_size=1, max_size=5)
)
def test_each_check_has_one_line_and_each_problem_an_advice(plan: list[tuple[str, set[int]]]) -> None:
    made = [
        Check(
            f"check {place}",
            LOOKS[kind][0],
            "mend it",
            tuple(f"check {n}" for n in sorted(after) if n < place),
            seconds=0.02,
        )
        for place, (kind, after) in enumerate(plan)
    ]
    found = {finding.name: finding for finding in examine(made, Setup())}
    assert list(found) == [check.name for check in made]
    for check, (kind, _) in zip(made, plan, strict=True):
        finding = found[check.name]
        failed = any(found[n].state in (State.PROBLEM, State.NOT_CHECKED) for n in check.after)
        assert finding.state is (State.NOT_CHECKED if failed else LOOKS[kind][1])
        assert bool(finding.advice) == (finding.state in (State.PROBLEM, State.WARNING))
        assert SECRET not in finding.says + finding.advice
        assert finding.later == (not failed and kind in ("later", "late"))


def test_an_unexpected_error_names_its_kind_and_not_its_words() -> None:
    (found,) = examine([Check("a", raising(KeyError(SECRET)), "look at it")], Setup())
    assert found.says.startswith("an unexpected KeyError at pipelines/doctor/examination.py:")
    assert found.advice == "look at it; if that is not it, report it"


def test_the_end_of_a_process_is_nothing_that_is_found() -> None:
    def interrupted(_: Setup) -> Finding:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(examine([Check("a", interrupted, "x")], Setup()))


def test_the_page_has_all_checks_in_their_order() -> None:
    page = (ROOT / "docs" / "doctor.md").read_text("utf-8")
    rows = [line.split("`")[1] for line in page.splitlines() if line.startswith("| `")]
    names = [check.name for check in checks(other_api=False, probe=True)]
    assert rows == [*names, "graphql-…"]
    assert blocks(ROOT / "docs" / "doctor.md", "sh") == []


def test_on_a_terminal_a_sign_says_how_it_stands(location: Location) -> None:
    location.settings |= {"FORCE_COLOR": "1", "TERM": "xterm", "TARGETDATA_LAKE": "/proc/lake"}
    done = location.run("targetdata", "doctor", "--only", "names", "--only", "lake", check=False)
    assert done.returncode == 1
    assert "✓" in done.stdout
    assert "✗" in done.stdout
    assert "→" in done.stdout
    assert "[" not in done.stdout.replace("\x1b[", "")


def test_the_json_is_one_list_of_what_was_found(location: Location) -> None:
    done = location.run("targetdata", "doctor", "--json", "--only", "names")
    assert json.loads(done.stdout) == [
        {
            "name": "names",
            "state": "ok",
            "says": "all names of settings are known",
            "advice": "",
            "later": False,
        }
    ]


def test_on_a_terminal_no_word_loses_its_end(location: Location) -> None:
    lake = location.folder / ("longer-than-a-line-" * 12) / "lake"
    location.settings |= {"FORCE_COLOR": "1", "TERM": "xterm", "TARGETDATA_LAKE": str(lake)}
    done = location.run("targetdata", "doctor", "--only", "lake")
    assert str(lake) in "".join(done.stdout.split())
