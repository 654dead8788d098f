"""The pictures of the docs: those that are named, those that are there, and those that are taken."""

import re
import struct
from pathlib import Path

import pytest

from tests.browser.server import HEIGHT, WIDTH
from tests.conftest import ROOT
from tests.screenshots import GRAPH, IMAGES, PICTURES

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
PICTURE = re.compile(r"!\[[^\]]+\]\(([^)]+)\)")  # one without a text for who cannot see it is none
MOST_BYTES = 150_000


def named() -> set[Path]:
    """Give the pictures that the pages show."""
    texts = {page: page.read_text(encoding="utf-8") for page in PAGES}
    return {
        (page.parent / place).resolve() for page, text in texts.items() for place in PICTURE.findall(text)
    }


def size(file: Path) -> tuple[int, int]:
    """Read the width and the height of a PNG."""
    width, height = struct.unpack(">II", file.read_bytes()[16:24])
    return width, height


def test_every_picture_that_a_page_shows_is_there_and_says_what_it_shows() -> None:
    assert named()
    assert [file for file in named() if not file.is_file()] == []
    assert set(IMAGES.iterdir()) <= named()


def test_the_target_takes_all_pictures_that_are_there() -> None:
    assert {file.name for file in IMAGES.iterdir()} == set(PICTURES)


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_has_its_size_and_is_small(name: str) -> None:
    file = IMAGES / name
    wanted = (GRAPH["width"], GRAPH["height"]) if name == "asset-graph.png" else (WIDTH, HEIGHT)
    assert size(file) == wanted
    assert file.stat().st_size < MOST_BYTES
