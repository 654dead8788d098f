"""What a user may set about a connection; every figure has a unit in its name."""

import re
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field

from resources.errors import ConfigurationError

OVER_BUDGET = "targetdata/over_budget"  # the tag of a run in Dagster that may ask for more
LOOPBACK = ("localhost", "127.0.0.1", "::1")


class Limits(BaseModel):
    """The limits that a client keeps; whoever lets a user set them takes the fields from here."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

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


class Settings(Limits):
    """A GraphQL endpoint and the limits that its client keeps.

    `url` is the endpoint itself, for example `https://api.example.com/graphql`. `digest_key` keys the
    digests that name a key in errors; at most 64 bytes.
    """

    url: str
    headers: dict[str, str] = Field(default_factory=dict, repr=False)
    digest_key: bytes = Field(b"", repr=False)

    def model_post_init(self, _: object) -> None:
        """Refuse what cannot work before a socket is opened."""
        check_url(self.url)
        for name in Limits.model_fields:
            value = getattr(self, name)
            if type(value) in (int, float) and not value > 0:
                raise ConfigurationError(f"{name} must be greater than zero, it is {value}")


def check_url(url: str) -> None:
    """Refuse an address that is no http(s) URL, or that would carry tokens in clear text."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:  # brackets that do not match, a port beyond 65535
        usable = False
    if not usable or parts.query or parts.fragment:
        shown = re.sub(r"[^/@]*@", "…@", url.split("?")[0])
        raise ConfigurationError(
            f"{shown!r} is not the URL of a GraphQL API; it should look like https://api.example.com"
        )
    if parts.username or parts.password:
        raise ConfigurationError("the URL holds a user or password; use a token or headers instead")
    if parts.scheme == "http" and parts.hostname not in LOOPBACK:
        raise ConfigurationError(
            f"plain http:// to {parts.hostname} would send tokens in clear text; use https://"
        )
