"""The Dagster resource for any GraphQL API: a URL, perhaps a token or headers, and limits."""

from typing import Any

import dagster as dg
from pydantic import PrivateAttr

from resources.connection import Connection, GraphQLConnection
from resources.graphql.sending.settings import OVER_BUDGET


class ApiResource(dg.ConfigurableResource[Any], Connection):
    """A connection that Dagster configures and closes.

    Everything works in a notebook without a Dagster run.
    """

    _over_budget: bool = PrivateAttr(default=False)

    def setup_for_execution(self, context: dg.InitResourceContext) -> None:
        """Let a run pass the budget that is tagged so."""
        self._over_budget = context.run is not None and context.run.tags.get(OVER_BUDGET) == "true"

    def teardown_after_execution(self, context: dg.InitResourceContext) -> None:
        """Close the connection when the run's process ends."""
        self.close()

    def _limits(self) -> dict[str, object]:
        return super()._limits() | ({"budget_lookups": None} if self._over_budget else {})


class GraphQLResource(ApiResource, GraphQLConnection):
    """Any GraphQL API, with an optional bearer token or headers."""
