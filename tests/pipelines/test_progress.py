"""Progress: what is done, how fast, and how long it will take; never oftener than every ten seconds."""

from contextlib import redirect_stderr
from io import StringIO
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.progress import EVERY_SECONDS, Progress, describe
from resources.graphql.page import Tally


def test_it_says_keys_rate_and_time_left(capsys: pytest.CaptureFixture[str]) -> None:
    times = iter([0.0, 20.0])
    Progress("profiles 2026-11-22", lambda: next(times)).show(Tally(asked=1500, total=3000))
    assert capsys.readouterr().err == "profiles 2026-11-22: 1,500 of 3,000 keys, 75/s, 20 s left\n"


def test_a_list_of_unknown_length_has_no_time_left() -> None:
    assert describe(Tally(asked=1500), 75.0) == "1,500 rows, 75/s"


@given(st.lists(st.floats(0, 30), max_size=50))
def test_lines_are_at_least_ten_seconds_apart_and_none_is_left_out(steps: list[float]) -> None:
    now, said = 0.0, [0.0]
    progress = Progress("profiles", lambda: now)
    for step in steps:
        now += step
        with redirect_stderr(StringIO()) as printed:
            progress.show(Tally(asked=1, total=2))
        said += [now] * len(printed.getvalue().splitlines())
        assert now - said[-1] < EVERY_SECONDS
    assert all(later - earlier >= EVERY_SECONDS for earlier, later in pairwise(said))
