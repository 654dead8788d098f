"""Settings written into `.env`: their own lines, and no other byte."""

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from io import StringIO
from pathlib import Path

import pytest
from dotenv import dotenv_values
from hypothesis import assume, given
from hypothesis import strategies as st

from pipelines.env_file import changed, write_settings
from resources.errors import ConfigurationError

TOKEN, URL = "TARGETDATA_REFRESH_TOKEN", "TARGETDATA_BASE_URL"
NONE = Path("/nonexistent/.env.example")
SPACES = st.sampled_from(["", " ", "\t", "  "])
ENDS = st.sampled_from(["\n", "\r\n", "\n\n", "\n  \n"])
NAMES = st.sampled_from(["A", "B_2", f"{TOKEN}_FILE", f"X_{TOKEN}", f"TARGETDATA_EU_{URL}"])
WORDS = st.text(st.sampled_from("ab1#='\" \\$é{}:/"), max_size=8)
COMMENTS = st.just("") | WORDS.map(lambda text: f" # {text}")


def quoted(word: str) -> str:
    return "'" + word.replace("\\", "\\\\").replace("'", "\\'") + "'"


VALUES = (
    st.just("")
    | st.text(st.sampled_from("ab1#=/:$"), max_size=8)
    | WORDS.map(quoted)
    | st.just('"two\nlines"')
)
PREFIXES = st.sampled_from(["", "export ", "  ", " export\t"])
LINES = st.builds("{}{}{}={}{}{}{}".format, PREFIXES, NAMES, SPACES, SPACES, VALUES, COMMENTS, ENDS)
REMARKS = st.builds("{}#{}{}".format, SPACES, WORDS, ENDS) | ENDS
OTHERS = st.lists(LINES | REMARKS, max_size=5).map("".join)
OWN = st.builds(
    "{}{}{}={}{}".format, PREFIXES, st.sampled_from([TOKEN, f"'{TOKEN}'"]), SPACES, SPACES, VALUES
)
TOKENS = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=40).filter(
    lambda text: "${" not in text
)


def read(text: str) -> "dict[str, str | None]":
    return dict(dotenv_values(stream=StringIO(text), interpolate=False))


@given(OTHERS, OWN, COMMENTS, ENDS, OTHERS, TOKENS)
def test_of_a_line_that_is_there_the_value_changes_and_all_around_it_stays(
    before: str, own: str, comment: str, end: str, after: str, token: str
) -> None:
    assume(not before or before.endswith("\n"))
    text = changed(before + own + comment + end + after, {TOKEN: token})
    assert text.startswith(before)
    assert text.endswith(comment + end + after)
    assert read(text)[TOKEN] == token


@given(OTHERS, TOKENS, st.booleans())
def test_a_line_that_is_missing_is_added_at_the_end(others: str, token: str, cut: bool) -> None:
    others = others.rstrip("\r\n") if cut else others
    text = changed(others, {TOKEN: token, URL: ""})
    assert text.startswith(others)
    added = text.removeprefix(others).strip()
    assert added.startswith(f"{TOKEN}=")
    assert "\n" not in added
    assert read(text) == read(others) | {TOKEN: token}
    assert changed(text, {TOKEN: token, URL: ""}) == text


@given(OTHERS, TOKENS)
def test_an_empty_value_unsets_what_is_there(others: str, token: str) -> None:
    assert read(changed(changed(others, {TOKEN: token}), {TOKEN: ""})) == read(others) | {TOKEN: ""}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "TARGETDATA_REFRESH_TOKEN=new\n"),
        ("A=1", "A=1\nTARGETDATA_REFRESH_TOKEN=new\n"),
        ("A=1\r\n", "A=1\r\nTARGETDATA_REFRESH_TOKEN=new\r\n"),
        ("\ufeffA=1\n", "\ufeffA=1\nTARGETDATA_REFRESH_TOKEN=new\n"),
        ("\n\nTARGETDATA_REFRESH_TOKEN=old\nA=1", "\n\nTARGETDATA_REFRESH_TOKEN=new\nA=1"),
        ("# TARGETDATA_REFRESH_TOKEN=x\n", "# TARGETDATA_REFRESH_TOKEN=x\nTARGETDATA_REFRESH_TOKEN=new\n"),
        ("TARGETDATA_REFRESH_TOKEN= # a\n", "TARGETDATA_REFRESH_TOKEN=new # a\n"),
        ("TARGETDATA_REFRESH_TOKEN='a#b'# c\n", "TARGETDATA_REFRESH_TOKEN=new # c\n"),
        ("TARGETDATA_REFRESH_TOKEN=#old\n", "TARGETDATA_REFRESH_TOKEN=new\n"),
        ("TARGETDATA_REFRESH_TOKEN\n", "TARGETDATA_REFRESH_TOKEN=new\n"),
        ("TARGETDATA_REFRESH_TOKEN='two\nlines'\nA=1\n", "TARGETDATA_REFRESH_TOKEN=new\nA=1\n"),
        (
            "TARGETDATA_REFRESH_TOKEN=1\nA=1\nTARGETDATA_REFRESH_TOKEN=2\n",
            "TARGETDATA_REFRESH_TOKEN=new\nA=1\nTARGETDATA_REFRESH_TOKEN=new\n",
        ),
    ],
)
def test_lines_of_any_form_are_changed(before: str, after: str) -> None:
    assert changed(before, {TOKEN: "new"}) == after


@pytest.mark.parametrize(("text", "token"), [("", "a${HOME}b"), ("A='open\n", "it's")])
def test_what_a_reader_would_take_for_something_else_is_refused_without_showing_it(
    text: str, token: str
) -> None:
    with pytest.raises(ConfigurationError, match=r"cannot be kept in \.env") as caught:
        changed(text, {TOKEN: token})
    assert token not in str(caught.value)


def test_a_new_file_is_made_of_the_template_for_this_user_alone(tmp_path: Path) -> None:
    template = tmp_path / ".env.example"
    template.write_text("# fill in\nTARGETDATA_REFRESH_TOKEN=\nA=1\n")
    write_settings(tmp_path / ".env", {TOKEN: "t"}, template=template)
    assert (tmp_path / ".env").read_text() == "# fill in\nTARGETDATA_REFRESH_TOKEN=t\nA=1\n"
    assert stat.S_IMODE((tmp_path / ".env").stat().st_mode) == 0o600
    write_settings(tmp_path / "other", {TOKEN: "t"}, template=NONE)
    assert (tmp_path / "other").read_text() == f"{TOKEN}=t\n"


def test_a_link_stays_one_and_what_it_leads_to_is_written(tmp_path: Path) -> None:
    (tmp_path / "vault").mkdir()
    (tmp_path / "vault" / "env").write_text("A=1\n")
    (tmp_path / ".env").symlink_to("vault/env")
    write_settings(tmp_path / ".env", {TOKEN: "t"}, template=NONE)
    assert (tmp_path / ".env").is_symlink()
    assert (tmp_path / "vault" / "env").read_text() == f"A=1\n{TOKEN}=t\n"
    assert os.listdir(tmp_path / "vault") == ["env"]


def test_those_who_write_at_the_same_time_all_find_their_lines(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: write_settings(path, {f"N{n}": str(n)}, template=NONE), range(40)))
    assert read(path.read_text()) == {f"N{n}": str(n) for n in range(40)}
    assert os.listdir(tmp_path) == [".env"]


def test_a_file_that_is_no_text_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"A=\xff\n")
    with pytest.raises(ConfigurationError, match="no text in UTF-8"):
        write_settings(tmp_path / ".env", {TOKEN: "t"}, template=NONE)
    assert (tmp_path / ".env").read_bytes() == b"A=\xff\n"
    assert os.listdir(tmp_path) == [".env"]


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"none/\.env cannot be written \(FileNotFoundError\)"):
        write_settings(tmp_path / "none" / ".env", {TOKEN: "t"}, template=NONE)
