"""The sum of an extraction: what does not add up is refused."""

import pytest

from resources.errors import AccountingError, TooManyFailed
from resources.graphql.page import Page, Tally


def tally(**figures: int) -> Tally:
    found = Tally()
    found.add(Page(tables={}, **figures))  # type: ignore[arg-type]
    return found


@pytest.mark.parametrize(
    "figures",
    [
        {"asked": 3, "found": 1, "not_found": 1, "total": 3},
        {"asked": 2, "found": 1, "not_found": 2, "total": 2},
        {"asked": 2, "found": 1, "not_found": 1, "total": 3},
    ],
)
def test_keys_that_do_not_add_up_are_refused(figures: dict[str, int]) -> None:
    with pytest.raises(AccountingError, match="do not add up"):
        tally(**figures).check(max_failed=10)


def test_what_adds_up_passes_up_to_the_failures_that_are_allowed() -> None:
    found = tally(asked=3, found=1, not_found=1, total=3)
    found.failures["INTERNAL"] = 1
    found.check(max_failed=1)
    with pytest.raises(TooManyFailed, match=r"1 of 3 keys failed \(1 INTERNAL\), 0 may"):
        found.check(max_failed=0)
