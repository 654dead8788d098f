"""A connection to TargetData: an offline refresh token that renews its own access tokens."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field

from resources.connection import SECRET, Connection
from resources.errors import ConfigurationError, Unavailable
from resources.graphql.counts import Counts
from resources.graphql.retry import Policy, Retry
from resources.graphql.settings import Settings, check_url

if TYPE_CHECKING:  # they bring the network's libraries, which are needed when there is something to ask
    from resources.account.tokens import AccessTokens, TokenFacts
    from resources.graphql.client import Client

GRAPHQL_PATH = "/graphql"
TOKEN_PATH = "/auth/token"  # noqa: S105
LOGIN_PATH = "/auth/offline-token"


class TargetDataConnection(Connection):
    """One TargetData account.

    The refresh token comes from `refresh_token` (in Dagster: `dg.EnvVar`) or from `refresh_token_file`, a
    mounted secret that is read again when the server refuses what it held. It is nowhere else.
    """

    base_url: str = Field(description="For example https://targetdata.test.teavaro.systems, without a path.")
    refresh_token: str = Field(
        "", repr=False, json_schema_extra=SECRET, description="The offline refresh token."
    )
    refresh_token_file: str = Field("", description="A file that holds the offline refresh token instead.")

    @property
    def login_url(self) -> str:
        """The page where a person makes an offline refresh token."""
        return self.base_url.rstrip("/") + LOGIN_PATH

    def read_refresh_token(self) -> str:
        """Give the refresh token; raises ConfigurationError where there is none."""
        token = self.refresh_token
        if self.refresh_token_file:
            token = _read(self.refresh_token_file)
        if token.strip():
            return token.strip()
        where = f"{self.refresh_token_file} is empty" if self.refresh_token_file else "it is not set"
        raise ConfigurationError(
            f"there is no offline refresh token: {where}. Make one at {self.login_url} and put it into .env "
            "as TARGETDATA_REFRESH_TOKEN, or its file's name as TARGETDATA_REFRESH_TOKEN_FILE"
        )

    def token_facts(self) -> "TokenFacts":
        """Make an access token, use it for nothing, and give what the server says of it."""
        settings = self._account_settings()

        async def made() -> "TokenFacts":
            counts = Counts()
            tokens = self._tokens(
                settings, Retry(Policy(self.max_attempts, self.max_retry_seconds), counts), counts
            )
            await tokens.get()
            if tokens.facts is None:
                raise Unavailable("no answer to the request for an access token")
            return tokens.facts

        return asyncio.run(made())

    def _connect(self) -> "Client":
        from resources.graphql.client import Client

        return Client(self._account_settings(), self._tokens)

    def check_url(self) -> None:
        """Refuse a base URL that cannot be one."""
        if not self.base_url:
            raise ConfigurationError(
                "TARGETDATA_BASE_URL is not set: copy .env.example to .env and fill it in. Of several "
                "accounts each has its own, for example TARGETDATA_EU_BASE_URL"
            )
        check_url(self.base_url)
        if self.base_url.rstrip("/").endswith(GRAPHQL_PATH):
            raise ConfigurationError(f"the base URL ends before {GRAPHQL_PATH}: {self.base_url}")

    def _account_settings(self) -> Settings:
        self.check_url()
        return self._settings(
            self.base_url.rstrip("/") + GRAPHQL_PATH, digest_secret=self.read_refresh_token()
        )

    def _tokens(self, settings: Settings, retry: Retry, counts: Counts) -> "AccessTokens":
        from resources.account.tokens import AccessTokens

        return AccessTokens(
            self.base_url.rstrip("/") + TOKEN_PATH,
            login_url=self.login_url,
            read_refresh_token=self.read_refresh_token,
            settings=settings,
            retry=retry,
            counts=counts,
        )


def _read(path: str) -> str:
    try:
        return Path(path).expanduser().read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"the refresh token file {path} cannot be read ({type(error).__name__})"
        ) from error
