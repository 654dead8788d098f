"""The seam through which an access token reaches a request."""

from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Token:
    """An access token and the count of renewals that made it."""

    value: str = field(repr=False)
    generation: int


class TokenSource(Protocol):
    """Gives access tokens; lives in the client's event loop."""

    async def get(self) -> Token:
        """Give a token that should be accepted, renewing it if it is needed."""

    def invalidate(self, generation: int) -> None:
        """Say that tokens up to this generation are not accepted any more."""

    def refusal(self) -> str:
        """Say what a person should do when fresh tokens are refused."""

    async def close(self) -> None:
        """End what is under way."""


class StaticToken:
    """A bearer token that cannot be renewed."""

    def __init__(self, value: str) -> None:
        self._token = Token(value, 0)

    async def get(self) -> Token:
        """Give the token."""
        return self._token

    def invalidate(self, generation: int) -> None:
        """Do nothing: there is no other token."""

    def refusal(self) -> str:
        """Say what a person should do."""
        return "give the resource another bearer token"

    async def close(self) -> None:
        """Do nothing: nothing is ever under way."""
