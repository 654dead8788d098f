"""The picture of the code is what the code is."""

from tests.architecture.__main__ import PICTURE
from tests.architecture.drawing import draw
from tests.architecture.rooms import needed, read


def test_the_committed_picture_is_what_the_code_gives_now() -> None:
    assert PICTURE.read_text("utf-8") == draw(), "the rooms or imports have changed: make architecture"


def test_all_imports_lead_to_a_lower_row() -> None:
    code = read()
    row = {room.name: number for number, rooms in enumerate(code.rows) for room in rooms}
    assert row.keys() == code.imports.keys()
    upward = [(a, b) for a, found in code.imports.items() for b in found if row[a] >= row[b]]
    assert upward == []


def test_an_arrow_that_follows_from_others_is_left_out() -> None:
    imports = {"a": {"b", "c"}, "b": {"c"}, "c": set[str]()}
    assert list(needed(imports)) == [("a", "b"), ("b", "c")]


def test_every_room_says_what_it_is() -> None:
    assert [room.name for row in read().rows for room in row if not room.says] == []
