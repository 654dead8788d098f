"""The settings of another API than TargetData: GRAPHQL_* variables."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from pipelines.setting_types import FailureLimit, FileFromRoot, ScalarWords
from pipelines.variables import GRAPHQL, api_limits, read_settings, value
from resources.connection import GraphQLConnection
from resources.schema_changes import SchemaChanges


class GraphQLEnvironment(BaseModel):
    """The settings of another API; each is the variable GRAPHQL_ and its name in capitals."""

    model_config = ConfigDict(frozen=True, validate_default=True, hide_input_in_errors=True)

    url: str = Field("", description="The endpoint, for example https://api.example.com/graphql.")
    schema_file: FileFromRoot = Field(
        Path("pipelines/graphql_schema.graphql"), description="Its schema, as `schema pull` writes it."
    )
    scalars: ScalarWords = Field(
        default_factory=dict, description="What scalars are kept as, for example `Money=decimal(18,2)`."
    )

    max_failed: FailureLimit = Field(
        0,
        description="Keys of a partition that may fail without stopping it: a number, or a share as in 0.5%.",
    )
    schema_changes: SchemaChanges = Field(
        SchemaChanges.FROZEN,
        description="Columns that change: `frozen`, the default, or `additive`: see [schema](schema.md).",
    )

    budget_requests: int | None = Field(
        None, gt=0, description="Requests that a planned backfill may need: see [plan](plan.md)."
    )


@cache
def graphql_environment() -> GraphQLEnvironment:
    """Read the settings of the other API."""
    return read_settings(GraphQLEnvironment, GRAPHQL)


def graphql_resource(url: str = "", headers: Mapping[str, str] | None = None) -> GraphQLConnection:
    """Connect to the API that the environment names, or to another URL, outside of Dagster.

    The environment's token and headers go to the environment's URL only.
    """
    named = graphql_environment().url
    own = url in ("", named)
    return GraphQLConnection(
        url=url or named,
        bearer_token=value("bearer_token", GRAPHQL) if own else "",
        headers_json=value("headers", GRAPHQL) if own else "",
        headers=dict(headers or {}),
        **api_limits(GRAPHQL),
    )
