"""The JSON schema of a `defs.yaml`, for editors: `python -m pipelines.components.editor_schema` writes it."""

import json
from pathlib import Path

from pipelines.components import GraphQLExtract, KeyFeed, WarehouseLoad
from pipelines.components.component import ComponentOptions
from resources.table_file import replace

FILE = Path(__file__).with_name("defs.schema.json")
COMPONENTS = (GraphQLExtract, KeyFeed, WarehouseLoad)
Schema = dict[str, object]


def editor_schema() -> Schema:
    """Describe each component: its type, and its options with what they mean."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "An extract, its keys or its loads",
        "type": "object",
        "required": ["type"],
        "properties": {"type": {"enum": [type_name(component) for component in COMPONENTS]}},
        "oneOf": [_component(component) for component in COMPONENTS],
        "$defs": {name: found for component in COMPONENTS for name, found in _parts(component).items()},
    }


def type_name(component: type) -> str:
    """Write what stands behind `type:`."""
    return f"pipelines.components.{component.__name__}"


def text() -> str:
    """Write the schema as the file has it."""
    return json.dumps(editor_schema(), indent=2) + "\n"


def _component(component: type[GraphQLExtract | KeyFeed | WarehouseLoad]) -> Schema:
    return {
        "title": component.__name__,
        "description": component.__doc__,
        "properties": {
            "type": {"const": type_name(component)},
            "attributes": {"$ref": f"#/$defs/{component.options_model.__name__}"},
            "template_vars_module": {"type": "string", "description": "Dagster's: functions for templates."},
            "requirements": {"type": "object", "description": "Dagster's: environment variables it needs."},
            "post_processing": {"type": "object", "description": "Dagster's: changes to what is defined."},
        },
        "additionalProperties": False,
    }


def _parts(component: type[GraphQLExtract | KeyFeed | WarehouseLoad]) -> dict[str, Schema]:
    """Give the schemas of the options, and of what is nested in them."""
    model: type[ComponentOptions] = component.options_model
    schema = model.model_json_schema(ref_template="#/$defs/{model}")
    return {**schema.pop("$defs", {}), model.__name__: schema}


if __name__ == "__main__":
    aside = FILE.with_name(f".{FILE.name}.part")
    aside.write_text(text(), encoding="utf-8")
    replace(aside, FILE)
