"""What the checks look at: the settings, and connections that give up early."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from pipelines.api import Api
from pipelines.environment import Environment, account, environment
from pipelines.other_api import graphql_environment
from pipelines.variables import GRAPHQL, PREFIX, api_limits, value
from resources.account import TargetDataConnection
from resources.connection import Connection, GraphQLConnection
from resources.graphql.sending.settings import Limits

# A person waits: what does not come by then is said to be missing, whatever a run would have patience for.
FAST: dict[str, float] = {
    "connect_timeout_seconds": 5.0,
    "read_timeout_seconds": 10.0,
    "request_timeout_seconds": 12.0,
    "max_retry_seconds": 10.0,
    "max_attempts": 2,
}


@dataclass(eq=False)
class Setup:
    """The settings and connections of this process; `key` is a kind and a value to be looked up."""

    key: tuple[str, str] | None = field(default=None, repr=False)

    @property
    def settings(self) -> Environment:
        """The settings of the account."""
        return environment()

    @cached_property
    def account(self) -> TargetDataConnection:
        """The account."""
        return TargetDataConnection(**(account(value("refresh_token", PREFIX)) | fast(PREFIX)))

    @cached_property
    def other(self) -> GraphQLConnection:
        """The other API."""
        return GraphQLConnection(
            url=graphql_environment().url,
            bearer_token=value("bearer_token", GRAPHQL),
            headers_json=value("headers", GRAPHQL),
            **(api_limits(GRAPHQL) | fast(GRAPHQL)),
        )

    def connection(self, api: Api) -> Connection:
        """Give the connection to an API."""
        return self.account if api is Api.TARGETDATA else self.other

    def close(self) -> None:
        """Close what was opened."""
        for name in ("account", "other"):
            if name in self.__dict__:
                getattr(self, name).close()


def fast(prefix: str) -> dict[str, Any]:
    """Give the limits that are lower than what is set."""
    given = Limits.model_validate(api_limits(prefix))
    return {name: min(getattr(given, name), most) for name, most in FAST.items()}
