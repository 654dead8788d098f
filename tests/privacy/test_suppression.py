"""The list of people who were erased: it knows them again, and holds nobody."""

import stat
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from resources.errors import ConfigurationError, LakeError
from resources.privacy import Suppression

KEY = "0123456789abcdef"
UMID = "8c942f68-5d45-4362-9a1c-c0918dd06459"


def test_who_is_on_the_list_is_known_again_by_kind_and_value(tmp_path: Path) -> None:
    Suppression.add(tmp_path, KEY, [("umid", UMID)])
    found = Suppression.read(tmp_path, KEY)
    assert found.holds("umid", pa.array([UMID, "other", None])).to_pylist() == [True, False, False]
    assert found.holds("profile_id", pa.array([UMID])).to_pylist() == [False]


def test_a_number_is_known_by_its_digits(tmp_path: Path) -> None:
    Suppression.add(tmp_path, KEY, [("id", "42")])
    assert Suppression.read(tmp_path, KEY).holds("id", pa.array([41, 42])).to_pylist() == [False, True]


def test_the_list_grows_and_holds_no_value(tmp_path: Path) -> None:
    Suppression.add(tmp_path, KEY, [("umid", UMID)])
    assert len(Suppression.add(tmp_path, KEY, [("umid", UMID), ("umid", "b")])) == 2
    assert all(UMID.encode() not in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())


def test_without_a_list_nobody_is_on_it_and_no_key_is_needed(tmp_path: Path) -> None:
    assert not Suppression.read(tmp_path, "").holds("umid", pa.array(["a"])).to_pylist()[0]


@pytest.mark.parametrize(("key", "said"), [("", "is not set"), ("f" * 16, "is not the key")])
def test_a_list_is_never_ignored_for_want_of_its_key(tmp_path: Path, key: str, said: str) -> None:
    Suppression.add(tmp_path, KEY, [("umid", UMID)])
    with pytest.raises(ConfigurationError, match=said):
        Suppression.read(tmp_path, key)


def test_a_short_key_makes_no_list(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="shorter than 16"):
        Suppression.add(tmp_path, "short", [("umid", UMID)])


def test_a_damaged_list_stops_the_run(tmp_path: Path) -> None:
    Suppression.add(tmp_path, KEY, [("umid", UMID)])
    (tmp_path / "_suppressed" / "list.json").write_text("{")
    with pytest.raises(LakeError, match="is damaged"):
        Suppression.read(tmp_path, KEY)


def test_the_list_is_for_its_owner_alone(tmp_path: Path) -> None:
    Suppression.add(tmp_path, KEY, [("umid", UMID)])
    assert stat.S_IMODE((tmp_path / "_suppressed" / "list.json").stat().st_mode) & 0o077 == 0


@given(st.lists(st.tuples(st.sampled_from(["umid", "um", "id"]), st.text(max_size=4)), max_size=8))
def test_only_those_who_were_added_are_on_it(
    tmp_path_factory: pytest.TempPathFactory, people: list[tuple[str, str]]
) -> None:
    root = tmp_path_factory.mktemp("lake")
    known, tried = people[::2], [*people, ("um", "id"), ("umid", "")]
    found = Suppression.add(root, KEY, known)
    for kind, value in tried:
        assert found.holds(kind, pa.array([value])).to_pylist() == [(kind, value) in known]
