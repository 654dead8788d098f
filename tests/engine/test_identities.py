"""Which identities have come before: told as a set would, in a part of its memory."""

import tracemalloc

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from resources.graphql.paging.identities import Identities, SortedDigests, in_group
from resources.graphql.raw import RawRow, field_of

MANY = 150_000
PAGE = 500
BYTES_EACH = 24
IDENTITIES = st.one_of(st.none(), st.integers(0, 60).map(str), st.text(max_size=3), st.just("\ud800"))
PAGES = st.lists(st.lists(IDENTITIES, max_size=30), max_size=30)
BEGINNINGS = st.sampled_from([bytes(8), b"1" * 8, b"\xff" * 8])
DIGESTS = st.builds(
    bytes.__add__, BEGINNINGS | st.binary(min_size=8, max_size=8), st.binary(min_size=4, max_size=4)
)
SMALL = st.integers(1, 9)


@given(pages=PAGES, newest=SMALL, block=SMALL)
def test_identities_are_told_as_a_set_would(pages: list[list[str | None]], newest: int, block: int) -> None:
    identities, seen = Identities(newest=newest, block=block), set[str]()
    for page in pages:
        expected = []
        for identity in page:
            expected.append(identity is None or identity not in seen)
            if identity is not None:
                seen.add(identity)
        assert identities.fresh(page) == expected


@given(added=st.lists(st.sets(DIGESTS)), asked=st.lists(DIGESTS), block=SMALL)
def test_digests_that_begin_alike_are_told_apart(
    added: list[set[bytes]], asked: list[bytes], block: int
) -> None:
    digests, known = SortedDigests(block), set[bytes]()
    for new in added:
        digests.add(new - known)
        known |= new
        assert len(digests) == len(known)
        assert digests.holding([*asked, *known]) == known


def test_an_identity_comes_once_in_each_group() -> None:
    identities = Identities()
    come = [("1", 0), ("1", 10), ("0:1", 1), ("1", 0), (None, 0), (None, 0), ("1", 10)]
    named = [in_group(identity, group) for identity, group in come]
    assert identities.fresh(named) == [True, True, True, False, True, True, False]


def test_an_identity_takes_few_bytes_also_while_they_grow() -> None:
    tracemalloc.start()
    try:
        identities = Identities()
        before = tracemalloc.get_traced_memory()[0]
        for start in range(0, MANY, PAGE):
            assert all(identities.fresh(map(str, range(start, start + PAGE))))
        peak = tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()
    assert peak < BYTES_EACH * MANY
    assert not any(identities.fresh(map(str, range(MANY))))


@pytest.mark.parametrize(
    "row",
    [
        '{"before": [{"id": "no"}], "id": "\\u00e9", "after": {"id": 1}}',
        '{"id": 1, "id": 2.50}',
        '{"id": 12345678901234567890123}',
        '{"id": {"of": ["two", 2]}}',
        '{"\\u0069d": true}',
        '{"id": null}',
        '{"other": 1}',
        "{}",
    ],
)
def test_a_field_that_is_read_alone_is_as_among_all(row: str) -> None:
    raw = msgspec.Raw(row.encode())
    alone, among_all = field_of(RawRow(raw), "id"), RawRow(raw).get("id")
    assert (
        (alone, str(alone))
        == (among_all, str(among_all))
        == (field_of(RawRow(raw).whole(), "id"), str(alone))
    )
