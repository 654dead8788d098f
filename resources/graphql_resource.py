"""The Dagster resource for any GraphQL API: a URL, perhaps a token or headers, and limits."""

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import dagster as dg
import msgspec
from pydantic import Field, JsonValue, PrivateAttr

from resources.errors import ConfigurationError
from resources.graphql.page import Page
from resources.graphql.paging.resume import Resume
from resources.graphql.query import Query
from resources.graphql.settings import OVER_BUDGET, Settings
from resources.graphql.tokens import StaticToken

if TYPE_CHECKING:  # brings the network's libraries, which are needed when there is something to ask
    from resources.graphql.client import Client

SECRET: dict[str, JsonValue] = {"dagster__is_secret": True}


class ApiResource(dg.ConfigurableResource[Any]):
    """Limits and paging, for whatever endpoint a subclass connects to; opened when first used.

    Everything works in a notebook without a Dagster run.
    """

    connect_timeout_seconds: float = Field(10.0, description="Until a connection is there.")
    read_timeout_seconds: float = Field(60.0, description="Longest silence while an answer is read.")
    request_timeout_seconds: float = Field(300.0, description="A whole request, from start to end.")
    max_in_flight: int = Field(8, description="Requests in flight, at most; the controller finds how many.")
    requests_per_second: float | None = Field(None, description="At most so many requests start a second.")
    max_batch: int = Field(100, description="Keys in one document, at most; the controller finds how many.")
    page_size: int = Field(500, description="Rows of a list asked for at once, where the query lets us say.")
    budget_lookups: int | None = Field(
        None, description="Keys that one run, or a planned backfill, may ask for; see docs/plan.md."
    )
    max_response_bytes: int = Field(64 * 1024 * 1024, description="A longer answer is refused.")
    max_attempts: int = Field(8, description="Attempts of one request that fails with 5xx or breaks.")
    max_retry_seconds: float = Field(900.0, description="Time for all attempts of one request.")
    trust_env: bool = Field(False, description="Use HTTP_PROXY, HTTPS_PROXY, NO_PROXY and .netrc.")
    ca_file: str | None = Field(None, description="PEM file of a private certificate authority.")

    _client: "Client | None" = PrivateAttr(default=None)
    _over_budget: bool = PrivateAttr(default=False)

    @property
    def client(self) -> "Client":
        """The client, connected at first use."""
        if self._client is None:
            self._client = self._connect()
        return self._client

    def pages(
        self,
        query: Query,
        *,
        keys: object = None,
        variables: Mapping[str, object] | None = None,
        resume: Resume | None = None,
    ) -> Iterator[Page]:
        """Iterate over pages of Arrow tables; see `resources.graphql.client.Client.pages`."""
        return self.client.pages(query, keys=keys, variables=variables, resume=resume)

    def table(
        self, query: Query, *, keys: object = None, variables: Mapping[str, object] | None = None
    ) -> Any:
        """Extract all at once; give the extract's `pyarrow.Table` (`.to_pandas()` makes a DataFrame)."""
        import pyarrow as pa

        pages = list(self.pages(query, keys=keys, variables=variables))
        return pa.concat_tables([page.tables[query.name] for page in pages])

    def close(self) -> None:
        """Close the connection; the next use opens another."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def setup_for_execution(self, context: dg.InitResourceContext) -> None:
        """Let a run pass the budget that is tagged so."""
        self._over_budget = context.run is not None and context.run.tags.get(OVER_BUDGET) == "true"

    def teardown_after_execution(self, context: dg.InitResourceContext) -> None:
        """Close the connection when the run's process ends."""
        self.close()

    @abstractmethod
    def _connect(self) -> "Client":
        """Open a client for the endpoint that the subclass names."""

    def _settings(self, url: str, *, digest_secret: str, headers: dict[str, str] | None = None) -> Settings:
        limits = {name: getattr(self, name) for name in ApiResource.model_fields}
        if self._over_budget:
            limits["budget_lookups"] = None
        digest_key = blake2b(digest_secret.encode(), person=b"key digest").digest()
        return Settings(url=url, headers=headers or {}, digest_key=digest_key, **limits)


class GraphQLResource(ApiResource):
    """Any GraphQL API, with an optional bearer token or headers."""

    url: str = Field(description="The endpoint, for example https://api.example.com/graphql.")
    bearer_token: str = Field("", repr=False, json_schema_extra=SECRET, description="Sent as Authorization.")
    headers: dict[str, str] = Field(
        default_factory=dict, repr=False, json_schema_extra=SECRET, description="Sent with every request."
    )
    headers_json: str = Field(
        "", repr=False, json_schema_extra=SECRET, description="More of them as a JSON object, for an EnvVar."
    )

    def _connect(self) -> "Client":
        from resources.graphql.client import Client

        if not self.url:
            raise ConfigurationError(
                "the GraphQL resource has no url: set GRAPHQL_URL in .env, or give it url="
            )
        token = self.bearer_token.strip()
        secret = token or self.headers_json or self.url
        settings = self._settings(self.url, digest_secret=secret, headers=self._all_headers())
        return Client(settings, (lambda *_: StaticToken(token)) if token else None)

    def _all_headers(self) -> dict[str, str]:
        if not self.headers_json.strip():
            return self.headers
        try:
            return msgspec.json.decode(self.headers_json, type=dict[str, str]) | self.headers
        except msgspec.DecodeError:
            raise ConfigurationError(
                'the headers (GRAPHQL_HEADERS) are no JSON object of texts, such as {"X-Api-Key": "…"}'
            ) from None
