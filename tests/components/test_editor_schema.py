"""The JSON schema for editors is current; it takes what is right and refuses what is misspelt."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator
from pydantic import BaseModel

from pipelines.components.editor_schema import COMPONENTS, FILE, editor_schema, text
from tests.conftest import ROOT
from tests.documents import blocks

SCHEMA = json.loads(FILE.read_text(encoding="utf-8"))
EDITOR = Draft202012Validator(SCHEMA)
TYPE = "type: pipelines.components."


def complaints(document: object) -> list[str]:
    return [error.message for error in EDITOR.iter_errors(document)]


def test_the_file_is_what_the_models_say() -> None:
    again = "python -m pipelines.components.editor_schema"
    assert FILE.read_text(encoding="utf-8") == text(), f"write it anew: {again}"
    Draft202012Validator.check_schema(editor_schema())


@pytest.mark.parametrize("page", sorted((ROOT / "docs").glob("*.md")), ids=lambda page: page.stem)
def test_the_examples_of_the_docs_are_right(page: Path) -> None:
    for block in blocks(page, "yaml"):
        for document in yaml.safe_load_all(block):
            if str(document.get("type", "")).startswith("pipelines.components."):
                assert complaints(document) == []


@pytest.mark.parametrize(
    "wrong",
    [
        "attributes: {}",
        f"{TYPE}GraphQLExtracts",
        f"{TYPE}GraphQLExtract\nattribute: {{}}",
        f"{TYPE}GraphQLExtract\nattributes:\n  identiy: x",
        f"{TYPE}GraphQLExtract\nattributes:\n  identity: 4",
        f"{TYPE}GraphQLExtract\nattributes:\n  paging: {{strategy: offst}}",
        f"{TYPE}GraphQLExtract\nattributes:\n  paging: {{row: x}}",
        f"{TYPE}GraphQLExtract\nattributes:\n  files: a.csv",
        f"{TYPE}GraphQLExtract\nattributes:\n  retention_days: 0",
        f"{TYPE}KeyFeed\nattributes:\n  columns: umid",
        f"{TYPE}KeyFeed\nattributes:\n  uri_variable: postgresql://me:secret@host",
        f"{TYPE}WarehouseLoad\nattributes:\n  keys: profile_keys",
    ],
)
def test_what_is_misspelt_is_underlined(wrong: str) -> None:
    assert complaints(yaml.safe_load(wrong))


@pytest.mark.parametrize("limit", [3, 0.5, "0.5%"])
def test_a_limit_is_a_number_or_a_share(limit: object) -> None:
    document = {"type": "pipelines.components.GraphQLExtract", "attributes": {"max_failed": limit}}
    assert complaints(document) == []


def test_a_text_may_be_a_template() -> None:
    attributes = {"group": "{{ env.TEAM }}", "tags": {"team": "{{ env.TEAM }}"}}
    assert complaints({"type": "pipelines.components.GraphQLExtract", "attributes": attributes}) == []


def test_each_option_says_what_it_means() -> None:
    models = [component.options_model for component in COMPONENTS]
    assert [name for model in models for name in undescribed(model)] == []


def undescribed(model: type[BaseModel]) -> Iterator[str]:
    for name, field in model.model_fields.items():
        if not field.description:
            yield f"{model.__name__}.{name}"
