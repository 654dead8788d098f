"""What a user may set about a connection; every figure has a unit in its name."""

import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from resources.errors import ConfigurationError

OVER_BUDGET = "targetdata/over_budget"  # the tag of a run in Dagster that may ask for more
LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class Settings:
    """A GraphQL endpoint and the limits that its client keeps.

    `url` is the endpoint itself, for example `https://api.example.com/graphql`. `digest_key` keys the
    digests that name a key in errors; at most 64 bytes.
    """

    url: str
    headers: dict[str, str] = field(default_factory=dict, repr=False)
    connect_timeout_seconds: float = 10.0
    read_timeout_seconds: float = 60.0
    request_timeout_seconds: float = 300.0
    max_in_flight: int = 8
    requests_per_second: float | None = None
    max_batch: int = 100
    page_size: int = 500
    budget_lookups: int | None = None
    max_response_bytes: int = 64 * 1024 * 1024
    max_attempts: int = 8
    max_retry_seconds: float = 900.0
    trust_env: bool = False
    ca_file: str | None = None
    digest_key: bytes = field(default=b"", repr=False)

    def __post_init__(self) -> None:
        """Refuse what cannot work before a socket is opened."""
        check_url(self.url)
        for name in ("connect_timeout", "read_timeout", "request_timeout", "max_retry"):
            _positive(f"{name}_seconds", getattr(self, f"{name}_seconds"))
        for name in ("max_in_flight", "max_batch", "page_size", "max_response_bytes"):
            _positive(name, getattr(self, name))
        _positive("max_attempts", self.max_attempts)
        if self.requests_per_second is not None:
            _positive("requests_per_second", self.requests_per_second)
        if self.budget_lookups is not None:
            _positive("budget_lookups", self.budget_lookups)


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


def _positive(name: str, value: float) -> None:
    if not value > 0:
        raise ConfigurationError(f"{name} must be greater than zero, it is {value}")
