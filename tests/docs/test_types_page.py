"""The page on types is executed: its table of scalars, its schema, query and code."""

import re
from pathlib import Path

import pytest

from resources.graphql.query import Query
from resources.graphql.scalars import TABLE, WORDS, kept_as
from tests.conftest import ROOT

PAGE = (ROOT / "docs" / "types.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def test_the_table_has_all_scalars_that_are_known() -> None:
    rows = []
    for word, names in TABLE.items():
        kept = kept_as(word)
        assert kept
        rows.append(f"| `{word}` | `{kept.arrow}` | {', '.join(names.split())} |")
    table = "\n".join(["| Kept as | Arrow type | Scalars |", "|---|---|---|", *rows, ""])
    assert table in PAGE, f"the page's table should be\n{table}"
    assert {word.split("(")[0] for word in TABLE} == set(WORDS)


def test_no_scalar_is_in_the_table_twice() -> None:
    names = [name.lower() for row in TABLE.values() for name in row.split()]
    assert sorted(set(names)) == sorted(names)


@pytest.fixture
def found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Query:
    schema, query = blocks("graphql")
    (tmp_path / "schema.graphql").write_text(schema)
    (tmp_path / "found.graphql").write_text(query)
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    exec(blocks("python")[0], names)
    query_ = names["FOUND"]
    assert isinstance(query_, Query)
    return query_


def test_the_example_makes_the_columns_that_are_shown(found: Query) -> None:
    rows = "".join(f"| `{field.name}` | `{field.type}` |\n" for field in found.tables["found"])
    assert f"| Column | Type |\n|---|---|\n{rows}\n" in PAGE
