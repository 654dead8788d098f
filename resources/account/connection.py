"""A connection to TargetData: an offline refresh token that renews its own access tokens."""

from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field

from resources.account.system_keyring import read_token
from resources.connection import SECRET, Connection
from resources.errors import ConfigurationError
from resources.graphql.counts import Counts
from resources.graphql.sending.retry import Retry
from resources.graphql.sending.settings import Settings, check_url

if TYPE_CHECKING:  # they bring the network's libraries, which are needed when there is something to ask
    from resources.account.exchange import TokenFacts
    from resources.account.tokens import AccessTokens
    from resources.graphql.client import Client

GRAPHQL_PATH = "/graphql"
TOKEN_PATH = "/auth/token"  # noqa: S105
LOGIN_PATH = "/auth/offline-token"


class TargetDataConnection(Connection):
    """One TargetData account.

    The refresh token comes from `refresh_token_file`, a mounted secret that is read again when the server
    refuses what it held; else from `refresh_token` (in Dagster: `dg.EnvVar`); else from the system's keyring.
    It is nowhere else.
    """

    base_url: str = Field(description="For example https://targetdata.test.teavaro.systems, without a path.")
    refresh_token: str = Field(
        "", repr=False, json_schema_extra=SECRET, description="The offline refresh token."
    )
    refresh_token_file: str = Field("", description="A file that holds the offline refresh token instead.")
    refresh_token_keyring: str = Field(
        "", description="A service in the system's keyring that holds it, under the base URL."
    )

    @property
    def login_url(self) -> str:
        """The page where a person makes an offline refresh token."""
        return self._address(LOGIN_PATH)

    def read_refresh_token(self) -> str:
        """Give the refresh token; raises ConfigurationError where there is none."""
        token, missing = self.refresh_token, "it is not set"
        if self.refresh_token_file:
            token, missing = _read(self.refresh_token_file), f"{self.refresh_token_file} is empty"
        elif not token.strip() and self.refresh_token_keyring:
            token = read_token(self.refresh_token_keyring, self.base_url)
            missing = f"the keyring has none of {self.refresh_token_keyring!r} for {self.base_url}"
        if token.strip():
            return token.strip()
        raise ConfigurationError(
            f"there is no offline refresh token: {missing}. Make one at {self.login_url} and put it into "
            ".env as TARGETDATA_REFRESH_TOKEN (targetdata login), or its file's name as "
            "TARGETDATA_REFRESH_TOKEN_FILE"
        )

    def prove(self) -> "TokenFacts":
        """Make one access token and send nothing else, to see whether the refresh token is good."""
        from resources.account.proof import prove

        return prove(self._account_settings(), self._tokens)

    def _connect(self) -> "Client":
        from resources.graphql.client import Client

        return Client(self._account_settings(), self._tokens)

    def check_url(self) -> None:
        """Refuse a base URL that cannot be one."""
        if not self.base_url:
            raise ConfigurationError(
                "TARGETDATA_BASE_URL is not set: targetdata login asks for it, or copy .env.example to .env "
                "and fill it in. Of several accounts each has its own, for example TARGETDATA_EU_BASE_URL"
            )
        check_base_url(self.base_url)

    def _account_settings(self) -> Settings:
        self.check_url()
        return self._settings(self._address(GRAPHQL_PATH), digest_secret=self.read_refresh_token())

    def _address(self, path: str) -> str:
        return self.base_url.rstrip("/") + path

    def _tokens(self, settings: Settings, retry: Retry, counts: Counts) -> "AccessTokens":
        from resources.account.tokens import AccessTokens

        return AccessTokens(
            self._address(TOKEN_PATH),
            login_url=self.login_url,
            read_refresh_token=self.read_refresh_token,
            settings=settings,
            retry=retry,
            counts=counts,
        )


def check_base_url(url: str) -> None:
    """Refuse an address that is not the base URL of an account."""
    check_url(url)
    if url.rstrip("/").endswith(GRAPHQL_PATH):
        raise ConfigurationError(f"the base URL ends before {GRAPHQL_PATH}: {url}")


def _read(path: str) -> str:
    try:
        return Path(path).expanduser().read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"the refresh token file {path} cannot be read ({type(error).__name__})"
        ) from error
