"""docs/settings.md lists every setting, with its default and meaning, as the code has it."""

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from pipelines.environment import Environment
from pipelines.privacy import Secret
from pipelines.variables import PREFIX
from resources.graphql_resource import ApiResource
from resources.targetdata import TargetDataResource
from tests.conftest import ROOT

PAGE = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")


def setting(name: str, field: FieldInfo) -> str:
    default = "" if field.default in (PydanticUndefined, "", None) else f"`{field.default}`"
    return f"| `{PREFIX}{name.upper()}` | {default} | {field.description} |"


def test_all_settings_are_in_the_table_with_their_defaults() -> None:
    fields = {
        "account": Environment.model_fields["account"],
        "base_url": Environment.model_fields["base_url"],
        "refresh_token": TargetDataResource.model_fields["refresh_token"],
        **Environment.model_fields,
        **Secret.model_fields,
        **ApiResource.model_fields,
    }
    rows = [setting(name, field) for name, field in fields.items()]
    table = "\n".join(["| Setting | Default | Meaning |", "|---|---|---|", *rows])
    assert table in PAGE, f"the page's table should be\n{table}"
