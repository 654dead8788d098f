"""docs/when-something-fails.md has every error of the tree, and shows what they really say."""

import os
import re
import shlex
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from pipelines.cli.options import EXIT_LATER, EXIT_OVER_BUDGET, EXIT_PERSON
from resources import errors
from resources.errors import ExtractionError, TryLater
from resources.failures import LATER_RETRIES, seconds_until_later
from tests.canaries import Canaries
from tests.conftest import ROOT
from tests.dagster_runs import Location
from tests.documents import blocks
from tests.pipelines.test_failures import made, tree
from tests.privacy.test_secrets import PEOPLE, location_of, provoked
from tests.provocations import BASES
from tests.sandbox import Sandbox

PAGE = (ROOT / "docs" / "when-something-fails.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^###? (\w+)\n(.*?)(?=^##|\Z)", PAGE, re.MULTILINE | re.DOTALL))
KINDS = {kind.__name__: kind for kind in tree()}
NUMBER, HOST = re.compile(r"\d+(,\d{3})*"), "api.example.com"


def messages(name: str) -> list[str]:
    return re.findall(r"^```\n(.*?)\n```$", SECTIONS[name], re.MULTILINE | re.DOTALL)


def test_the_page_has_each_error_of_the_tree_in_its_order() -> None:
    named = [name for name in SECTIONS if name in KINDS]
    in_tree = re.findall(r"── (\w+)", str(errors.__doc__))
    assert named == in_tree
    assert set(named) == KINDS.keys() - {ExtractionError.__name__}
    assert all(messages(kind.__name__) for kind in KINDS.values() if kind not in BASES)


@pytest.mark.parametrize("kind", [kind for kind in tree() if kind not in BASES], ids=lambda k: k.__name__)
def test_it_says_whether_an_error_is_tried_again(kind: type[ExtractionError]) -> None:
    (again,) = re.findall(r"\*\*Tried again\*\*: (.*)", SECTIONS[kind.__name__])
    is_person = seconds_until_later(made(kind)) is None
    assert is_person == bool(re.match("no[.;]|.* is not[.]$", again)), again
    if issubclass(kind, TryLater):
        assert f", {LATER_RETRIES} times at most" in again


def test_its_exit_codes_are_those_of_the_command_line() -> None:
    codes = dict(re.findall(r"^\| (\d+) \| (.*) \|$", PAGE, re.MULTILINE))
    assert "a person" in codes[str(EXIT_PERSON)]
    assert "OverBudget" in codes[str(EXIT_OVER_BUDGET)]
    assert "TryLater" in codes[str(EXIT_LATER)]
    assert "`erase` and `gc`" in codes["130"], "they have written some of it"
    assert codes.keys() == {"0", "1", "2", "3", "75", "130"}


@pytest.fixture(scope="module")
def words() -> Iterator[dict[str, list[str]]]:
    """What each kind of error says when it is provoked."""
    with ExitStack() as stack, TemporaryDirectory() as folder:
        canaries = Canaries(PEOPLE)
        _, done = provoked(canaries, stack, location_of(canaries, stack, Path(folder)))
        found = done["words"]
        assert isinstance(found, dict)
        yield found


def plain(message: str) -> str:
    """Leave out what differs from run to run: numbers, spaces and line ends."""
    return NUMBER.sub("0", " ".join(message.split()))


@pytest.mark.journey
def test_each_message_that_it_shows_is_what_its_error_says(words: dict[str, list[str]]) -> None:
    for name in KINDS.keys() & SECTIONS.keys():
        said = [plain(text) for text in words.get(name, [])]
        for shown in messages(name):
            shown = shown.replace(HOST, "127.0.0.1").replace("https://…", "http://…")
            pattern = ".+".join(map(re.escape, plain(shown).split("…")))
            assert any(re.fullmatch(pattern, text) for text in said), f"{name}: {shown}\n{said}"


@pytest.mark.journey
def test_its_script_tells_the_exit_codes_apart(sandbox: Sandbox, tmp_path: Path) -> None:
    (script,) = blocks(ROOT / "docs" / "when-something-fails.md", "sh")
    command = script.splitlines()[0].removeprefix(".venv/bin/")
    location = Location(sandbox, tmp_path)
    for switch, word in (({}, "fits"), ({"refuse_refresh": 401}, "a person"), ({"status": 503}, "later")):
        for name, value in switch.items():
            setattr(sandbox.faults, name, value)
        location.settings = {"TARGETDATA_MAX_ATTEMPTS": "1", "TARGETDATA_MAX_RETRY_SECONDS": "0.1"}
        code = location.run(*shlex.split(command), check=False).returncode
        judged = f"(exit {code}); " + script.splitlines()[1]
        told = subprocess.run(
            ["sh", "-c", judged], capture_output=True, text=True, env=os.environ, check=True
        )
        assert told.stdout.strip() == word
        sandbox.clear()
        sandbox.faults.__init__()  # type: ignore[misc]
