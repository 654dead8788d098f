"""gql over aiohttp: one session to one endpoint.

gql hides the HTTP status of an answer and puts its body into error messages, so the gate, a middleware
below gql, judges status, headers and body first.
"""

import logging
import ssl
from collections.abc import Mapping
from typing import Literal
from urllib.parse import urlsplit

import aiohttp
import msgspec
from gql import GraphQLRequest
from gql.transport.aiohttp import AIOHTTPTransport
from gql.transport.exceptions import TransportConnectionFailed, TransportError
from graphql import DocumentNode

from resources.errors import ConfigurationError, ExtractionError, Unavailable
from resources.graphql.counts import Counts
from resources.graphql.sending.gate import SHAPE, Bearer, Gate, JudgedResponse, late
from resources.graphql.sending.settings import Settings
from resources.graphql.sending.tokens import TokenSource

READ_BYTES = 256 * 1024  # of an answer that are taken before they are looked at: pages are as large
ENCODER = msgspec.json.Encoder(decimal_format="number")  # as answers hold it: a cursor may be a Decimal


class PreparedRequest(GraphQLRequest):
    """A request whose document is text already, however often it is sent: gql would print it each time.

    `shape` is the type of the answer, for msgspec, where a part of its data is to be left raw.
    """

    def __init__(
        self, text: str, variables: Mapping[str, object] | None = None, shape: type | None = None
    ) -> None:
        super().__init__(DocumentNode(definitions=()), variable_values=dict(variables or {}))
        self.shape = shape
        self._text = text

    @property
    def payload(self) -> dict[str, object]:
        """The JSON body of the POST."""
        return {"query": self._text, "variables": self.variable_values or {}}


class Transport:
    """One HTTP session to one endpoint: `send` gives the decoded answer or raises a typed error."""

    def __init__(self, settings: Settings, tokens: TokenSource | None, counts: Counts) -> None:
        quiet_gql()
        self.host = urlsplit(settings.url).hostname or settings.url
        self._counts = counts
        gate = Gate(settings.max_response_bytes, counts)
        middlewares = (Bearer(tokens), gate) if tokens else (gate,)
        self._gql = AIOHTTPTransport(
            settings.url,
            headers=settings.headers,
            ssl=ssl_context(settings.ca_file),
            json_serialize=lambda value: ENCODER.encode(value).decode(),
            client_session_args={
                "middlewares": middlewares,
                "response_class": JudgedResponse,
                "timeout": timeout(settings),
                "read_bufsize": READ_BYTES,
                "trust_env": settings.trust_env,
                "connector": aiohttp.TCPConnector(limit=settings.max_in_flight),
            },
        )

    async def open(self) -> None:
        """Open the session."""
        await self._gql.connect()

    async def close(self) -> None:
        """Close the session and its connections."""
        await self._gql.close()

    async def send(self, request: PreparedRequest) -> Mapping[str, object]:
        """Send one request once; give `{"data": …, "errors": …}` as the server answered."""
        self._counts.requests += 1
        SHAPE.set(request.shape)
        try:
            result = await self._gql.execute(request, extra_args={"allow_redirects": False})
        except TransportConnectionFailed as error:
            if isinstance(error.__cause__, ExtractionError):
                raise error.__cause__ from None
            raise named(error.__cause__, self.host) from None  # its message may quote what was received
        except TransportError as error:  # its message holds the body
            raise Unavailable(f"an answer that is not GraphQL ({type(error).__name__})") from None
        return {"data": result.data, "errors": result.errors}


def named(error: BaseException | None, host: str) -> ExtractionError:
    """Give a failure of the network its name in our tree."""
    match error:
        case aiohttp.ClientConnectorCertificateError(certificate_error=ssl.SSLCertVerificationError() as why):
            return ConfigurationError(
                f"TLS with {host} fails: {why.verify_message}. If it uses a private certificate authority, "
                "name its file in ca_file"
            )
        case aiohttp.ClientSSLError():
            return ConfigurationError(f"TLS with {host} fails: {error.strerror}. Does it speak https?")
        case aiohttp.ClientConnectorDNSError():
            return Unavailable(f"the name {host} cannot be resolved", unreachable=True)
        case aiohttp.ClientProxyConnectionError():
            return Unavailable(f"the proxy for {host} cannot be reached", unreachable=True)
        case aiohttp.ClientConnectorError() | aiohttp.ConnectionTimeoutError():
            return Unavailable(f"no connection to {host}", unreachable=True)
        case TimeoutError():
            return late(error, host)
        case _:
            return Unavailable(f"the connection to {host} broke ({type(error).__name__})")


def ssl_context(ca_file: str | None) -> "ssl.SSLContext | Literal[True]":
    """Trust the system's authorities, and those in a PEM file besides.

    aiohttp has a context of the system's, which it makes when it is imported: True stands for it.
    """
    if not ca_file:
        return True
    context = ssl.create_default_context()
    try:
        context.load_verify_locations(ca_file)
    except (OSError, ssl.SSLError) as error:
        raise ConfigurationError(f"the CA file {ca_file} cannot be read as PEM") from error
    return context


def timeout(settings: Settings) -> aiohttp.ClientTimeout:
    """Bound connecting, each read, and the request as a whole; none of them is ever off."""
    return aiohttp.ClientTimeout(
        total=settings.request_timeout_seconds,
        sock_connect=settings.connect_timeout_seconds,
        sock_read=settings.read_timeout_seconds,
    )


def quiet_gql() -> None:
    """Keep gql's loggers at WARNING: at DEBUG they print payloads and answers, which are personal data."""
    logging.getLogger("gql").setLevel(logging.WARNING)
    for name in ("gql.transport", "gql.transport.aiohttp"):
        logging.getLogger(name).setLevel(logging.WARNING)
