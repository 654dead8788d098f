"""A server's answers about its schema, whatever their form."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

from resources.errors import Refused

if TYPE_CHECKING:
    from resources.graphql.client import Client


class Answering(Protocol):
    """Asks a server, and gives its answer."""

    def __call__(
        self, document: str, variables: Mapping[str, object] | None = None, /
    ) -> Mapping[str, object]:
        """Send one document."""


def answering(client: "Client") -> Answering:
    """Give the answer whatever its form: a refusal without a body is a message too."""

    def ask(document: str, variables: Mapping[str, object] | None = None) -> Mapping[str, object]:
        try:
            return client.ask(document, variables)
        except Refused as error:
            return {"errors": [{"message": str(error)}]}

    return ask
