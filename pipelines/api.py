"""The APIs that settings can name: the TargetData account, and one of any other kind."""

import re
from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from resources.errors import ConfigurationError

if TYPE_CHECKING:  # they are needed when a command begins, not to name its options
    from pipelines.environment import Environment
    from pipelines.other_api import GraphQLEnvironment
    from resources.connection import Connection

MARK = re.compile(r"\A(?:\s*#.*\n)*?\s*#\s*api:\s*(\w+)")  # in the comments at a document's top


class Api(StrEnum):
    """Which settings count; also the name of the resource in Dagster."""

    TARGETDATA = "targetdata"
    GRAPHQL = "graphql"

    @classmethod
    def chosen(cls, api: "Api | None", url: str | None) -> "Api":
        """Take what is said; else the only one that the settings name, or TargetData."""
        if url and api is cls.TARGETDATA:
            raise ConfigurationError(
                "--url names another API than TargetData: leave --api out, or set TARGETDATA_BASE_URL"
            )
        if api is not None:
            return api
        if url:
            return cls.GRAPHQL
        from pipelines.environment import environment
        from pipelines.other_api import graphql_environment

        only_other = graphql_environment().url and not environment().base_url
        return cls.GRAPHQL if only_other else cls.TARGETDATA

    @classmethod
    def named_in(cls, document: Path) -> "Api | None":
        """Read at a document's top which API it is of."""
        mark = mark_in(document)
        return next((api for api in cls if mark == api), None)

    @property
    def settings(self) -> "Environment | GraphQLEnvironment":
        """Its settings."""
        from pipelines.environment import environment
        from pipelines.other_api import graphql_environment

        return graphql_environment() if self is Api.GRAPHQL else environment()

    @property
    def schema_file(self) -> Path:
        """Where its schema is."""
        return self.settings.schema_file

    @property
    def scalars(self) -> dict[str, str]:
        """What its scalars are kept as."""
        return self.settings.scalars

    def resource(self, url: str | None, headers: Mapping[str, str]) -> "Connection":
        """Connect to it; `url` and `headers` are those of the command line."""
        from pipelines.environment import targetdata_resource
        from pipelines.other_api import graphql_resource

        if self is Api.GRAPHQL:
            return graphql_resource(url or "", headers)
        if headers:
            raise ConfigurationError("--header is for another API: use it with --url or --api graphql")
        return targetdata_resource()

    def owns(self, document: str, *, unmarked: bool) -> bool:
        """Say whether a document is of this API: its top may say `# api: graphql`."""
        mark = MARK.match(document)
        return mark[1] == self if mark else unmarked


def mark_in(document: Path) -> str | None:
    """Read the word behind `# api:` at a document's top; whoever loads it says if it is no text at all."""
    mark = MARK.match(document.read_text("utf-8", errors="replace")) if document.is_file() else None
    return mark[1] if mark else None


APIS = {api: f"{api}_api" for api in Api}  # the assets that stand for them in Dagster


def read_headers(texts: Sequence[str]) -> dict[str, str]:
    """Read NAME=VALUE; errors do not show the value."""
    headers = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not re.fullmatch(r"[\w-]+", name):
            raise ConfigurationError("a --header is written as NAME=VALUE, for example --header X-Lang=de")
        headers[name] = value
    return headers
