"""A connection to any GraphQL API: a URL, perhaps a token or headers, and limits. It needs no Dagster."""

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from hashlib import blake2b
from typing import TYPE_CHECKING

import msgspec
import pyarrow as pa
from pydantic import Field, JsonValue, PrivateAttr

from resources.errors import ConfigurationError
from resources.graphql.page import Page
from resources.graphql.paging.resume import Resume
from resources.graphql.query import Query
from resources.graphql.sending.settings import Limits, Settings
from resources.graphql.sending.tokens import StaticToken

if TYPE_CHECKING:  # brings the network's libraries, which are needed when there is something to ask
    from resources.graphql.client import Client

SECRET: dict[str, JsonValue] = {"dagster__is_secret": True}  # of a field: Dagster's UI masks it


class Connection(Limits):
    """Limits and paging, for whatever endpoint a subclass connects to; opened when first used.

    The Dagster resources are connections too: all that they add is what Dagster calls.
    """

    _client: "Client | None" = PrivateAttr(default=None)

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
    ) -> pa.Table:
        """Extract all at once; give the extract's `pyarrow.Table` (`.to_pandas()` makes a DataFrame)."""
        pages = list(self.pages(query, keys=keys, variables=variables))
        return pa.concat_tables([page.tables[query.name] for page in pages])

    def close(self) -> None:
        """Close the connection; the next use opens another."""
        if self._client is not None:
            self._client.close()
            self._client = None

    @abstractmethod
    def _connect(self) -> "Client":
        """Open a client for the endpoint that the subclass names."""

    def _limits(self) -> dict[str, object]:
        return {name: getattr(self, name) for name in Limits.model_fields}

    def _settings(self, url: str, *, digest_secret: str, headers: dict[str, str] | None = None) -> Settings:
        digest_key = blake2b(digest_secret.encode(), person=b"key digest").digest()
        own = {"url": url, "headers": headers or {}, "digest_key": digest_key}
        return Settings.model_validate(self._limits() | own)


class GraphQLConnection(Connection):
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
