"""All pages together: links lead somewhere, each task has one page, and no block goes without a test."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.environment import Environment
from pipelines.other_api import GraphQLEnvironment
from pipelines.privacy import Secret
from resources.graphql.sending.settings import Limits
from tests.conftest import ROOT
from tests.documents import BLOCK, blocks

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
INDEX = ROOT / "docs" / "README.md"
EXECUTED = {"sh", "python", "graphql", "sql", "yaml", "ini"}
OTHER_COMMANDS = {
    ". data/sandbox/settings.sh",
    'export DAGSTER_HOME="$PWD/.dagster"',
    'case $? in 75) echo "later" ;; 0) echo "fits" ;; *) echo "a person" ;; esac',
}
FENCED = re.compile(r"^( *)```.*?^\1```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)
SETTING = re.compile(r"\b(TARGETDATA|GRAPHQL)_([A-Z][A-Z_]*[A-Z])\b")
SETTINGS = {
    "TARGETDATA": {
        "refresh_token",
        "refresh_token_keyring",
        *Environment.model_fields,
        *Secret.model_fields,
        *Limits.model_fields,
    },
    "GRAPHQL": {"url", "bearer_token", "headers", *GraphQLEnvironment.model_fields, *Limits.model_fields},
}


def prose(page: Path) -> str:
    """Give a page without its blocks of code."""
    return FENCED.sub("", page.read_text(encoding="utf-8"))


def anchors(page: Path) -> set[str]:
    """Give the anchors of a page's headings, as GitHub makes them."""
    titles = [title.lower().replace("`", "") for title in HEADING.findall(prose(page))]
    return {re.sub(r"[^\w\- ]", "", title).replace(" ", "-") for title in titles}


def links() -> Iterator[tuple[Path, str]]:
    for page in PAGES:
        for link in LINK.findall(prose(page)):
            if "://" not in link:
                yield page, link


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_its_links_lead_to_files_and_headings_that_are_there(page: Path) -> None:
    for of, link in links():
        if of != page:
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        assert target.is_file(), f"{page.name}: {link}"
        assert not anchor or anchor in anchors(target), f"{page.name}: {link}"


def test_the_index_leads_to_every_page_once() -> None:
    rows = [line for line in prose(INDEX).splitlines() if line.startswith("|")]
    pages = [page.name for page in PAGES if page not in (INDEX, ROOT / "README.md")]
    assert sorted(link for row in rows for link in LINK.findall(row)) == sorted(pages)


def test_a_page_begins_with_a_title_and_a_sentence() -> None:
    titles = []
    for page in PAGES:
        title, empty, first, *_ = page.read_text(encoding="utf-8").splitlines()
        assert title.startswith("# "), page.name
        assert empty == ""
        assert re.match(r"[A-Z`*]", first), page.name
        titles.append(title)
    assert len(set(titles)) == len(titles)


def test_no_paragraph_is_on_two_pages() -> None:
    seen: dict[str, str] = {}
    for page in PAGES:
        for paragraph in prose(page).split("\n\n"):
            text = " ".join(paragraph.split())
            if len(text) > 200:
                assert text not in seen, f"{page.name} and {seen[text]}: {text[:80]}"
                seen[text] = page.name


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_with_code_is_executed_by_a_test(page: Path) -> None:
    languages = {kind for kind, _ in BLOCK.findall(page.read_text(encoding="utf-8"))} & EXECUTED
    tests = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    assert not languages or f'"{page.name}"' in tests, f"{page.name}: {languages}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_each_command_is_one_that_the_tests_of_pages_find(page: Path) -> None:
    """They take those of the installation, `make` and these few; others would be passed over."""
    for block in blocks(page, "sh"):
        for line in block.splitlines():
            assert ".venv/bin/" in line or line.startswith("make ") or line in OTHER_COMMANDS, line


def test_an_extra_is_installed_into_the_checkout() -> None:
    for page in PAGES:
        for before, after in re.findall(r"(\S*)pip install (\S+)", page.read_text(encoding="utf-8")):
            assert (before.lstrip("`("), after) == (".venv/bin/", "-e"), page.name


def test_the_files_that_the_page_on_the_code_names_are_there() -> None:
    text = prose(ROOT / "docs" / "how-it-works.md")
    names = ["", "resources", "pipelines", "resources/graphql", "resources/lake", "pipelines/defs/profiles"]
    rooms = [ROOT / name for name in names]
    for name in re.findall(r"`([\w/]+(?:\.py|/))`", text):
        assert any((room / name).exists() for room in rooms), name


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_settings_and_targets_that_it_names_are_there(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for prefix, name in SETTING.findall(text):
        own = re.sub("^(EU|US)_", "", name).lower()  # of one of several accounts
        known = SETTINGS[prefix]
        assert own in known or any(field.startswith(f"{own}_") for field in known), f"{prefix}_{name}"
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"(?:^|`)make ([a-z]+)", text, re.MULTILINE):
        assert f"\n{target}: .venv/installed" in makefile, target


def test_the_cases_of_the_page_on_benchmarks_are_there() -> None:
    text = (ROOT / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    cases = re.findall(r"^make bench.*CASES=(\w+)", text, re.MULTILINE)
    assert cases
    assert all((ROOT / "tests" / "benchmarks" / "cases" / f"{case}.py").is_file() for case in cases)
