"""Checks of the way to a server: its address, the proxy, a connection, TLS, and its clock."""

import http.client
import socket
import ssl
import time
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import cast
from urllib.parse import SplitResult, unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

from pipelines.doctor.finding import Finding, not_checked, ok, problem, warning
from pipelines.doctor.setup import FAST
from resources.errors import ConfigurationError, ServerUnavailable
from resources.graphql.sending.retry import LATER_SECONDS

SECONDS = FAST["connect_timeout_seconds"]
FEW_DAYS = 14  # before a certificate ends
SKEW_SECONDS = 60
EXPIRED, NOT_YET, OTHER_NAME = (9, 10), 9, 62  # OpenSSL's codes


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server is, and the settings of the way there; `prefix` begins their names."""

    url: str
    prefix: str
    trust_env: bool
    ca_file: str | None

    @property
    def host(self) -> str:
        """The server's name."""
        return urlsplit(self.url).hostname or ""

    @property
    def is_secure(self) -> bool:
        """Say whether it speaks TLS."""
        return urlsplit(self.url).scheme == "https"

    @property
    def port(self) -> int:
        """The server's port."""
        return urlsplit(self.url).port or (443 if self.is_secure else 80)

    @property
    def variable(self) -> str:
        """The variable that the environment's proxy is in."""
        return "HTTPS_PROXY" if self.is_secure else "HTTP_PROXY"

    @property
    def in_environment(self) -> SplitResult | None:
        """The proxy that the environment has for this server."""
        proxy = getproxies().get(urlsplit(self.url).scheme)
        if not proxy or proxy_bypass(self.host):
            return None
        return urlsplit(proxy if "://" in proxy else f"http://{proxy}")

    @property
    def proxy(self) -> SplitResult | None:
        """The proxy that is used."""
        return self.in_environment if self.trust_env else None


def proxy(address: Address) -> Finding:
    """Say which proxy is used, or that one is there and is not."""
    found = address.in_environment
    if found is None:
        return ok(f"none: the environment has no {address.variable} for {address.host}")
    name = f"{found.scheme}://{found.hostname}:{_port(found)}"
    if not address.trust_env:
        return warning(
            f"the environment has {address.variable} ({name}), which is not used",
            f"{address.prefix}TRUST_ENV=true if {address.host} is reached through it; else nothing",
        )
    return ok(f"{name}, of {address.variable}")


def connection(address: Address) -> Finding:
    """Resolve the name, and connect: to the proxy, where there is one."""
    target = address.proxy
    host, port = (target.hostname or "", _port(target)) if target else (address.host, address.port)
    who = f"the proxy {host}" if target else host
    began = time.monotonic()
    try:
        found = {entry[4][0] for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)}
        with socket.create_connection((host, port), timeout=SECONDS):
            took = time.monotonic() - began
    except socket.gaierror:
        raise ServerUnavailable(
            f"the name of {who} cannot be resolved", after_seconds=LATER_SECONDS
        ) from None
    except OSError as error:
        why = error.strerror or "no answer"
        raise ServerUnavailable(
            f"{who} cannot be reached at port {port}: {why}", after_seconds=LATER_SECONDS
        ) from None
    return ok(f"{who} has {len(found)} address{'es' * (len(found) > 1)}, connected in {took * 1000:,.0f} ms")


def tls(address: Address) -> Finding:
    """Shake hands, and look at the certificate."""
    if not address.is_secure:
        return ok(f"none: plain http, as {address.host} is this machine")
    try:
        with _opened(address) as opened:
            return _certified(address, cast(ssl.SSLSocket, opened.sock))
    except ssl.SSLCertVerificationError as error:
        says = f"the certificate of {address.host} is not accepted: {error.verify_message.rstrip('.')}"
        return problem(says, _certificate_advice(address, error.verify_code))
    except ssl.SSLError as error:
        return problem(
            f"{address.host} does not speak TLS at port {address.port} ({error.reason or 'no reason'})",
            "look at host and port of the URL: is it the right one?",
        )


def clock(address: Address) -> Finding:
    """Compare the clock with the server's."""
    with _opened(address) as opened:
        path = address.url if address.proxy and not address.is_secure else "/"
        opened.request("HEAD", path)
        date = opened.getresponse().getheader("Date")
    try:
        there = parsedate_to_datetime(date or "")
    except ValueError:
        return not_checked(f"{address.host} does not say its time")
    ahead = (datetime.now(UTC) - there.astimezone(UTC)).total_seconds()
    if abs(ahead) > SKEW_SECONDS:
        return warning(
            f"the clock here is {abs(ahead):,.0f} s {'ahead of' if ahead > 0 else 'behind'} {address.host}'s",
            "set this machine's clock, by NTP; partitions and fetched_at are of its time",
        )
    return ok(f"as {address.host}'s, within {SKEW_SECONDS} s")


def _certified(address: Address, secure: ssl.SSLSocket) -> Finding:
    certificate = cast(Mapping[str, object], secure.getpeercert() or {})
    issuer = _issuer(certificate)
    days = int((ssl.cert_time_to_seconds(str(certificate["notAfter"])) - time.time()) / 86400)
    says = f"{secure.version()}, certificate of {issuer}, good for {days:,} more days"
    if days < FEW_DAYS:
        return warning(says, f"have the certificate of {address.host} renewed in time by who runs it")
    return ok(says + (f", trusted by {address.prefix}CA_FILE" if address.ca_file else ""))


def _issuer(certificate: Mapping[str, object]) -> str:
    parts = cast("tuple[tuple[tuple[str, str], ...], ...]", certificate.get("issuer", ()))
    names = {name: text for part in parts for name, text in part}
    return names.get("organizationName") or names.get("commonName") or "an issuer without a name"


def _certificate_advice(address: Address, code: int) -> str:
    if code in EXPIRED:
        return f"have it renewed by who runs {address.host}; look at this machine's date too"
    if code == OTHER_NAME:
        return "write the host in the URL as the certificate has it"
    return f"{address.prefix}CA_FILE=authority.pem if it is of a private authority; ask for its file"


@contextmanager
def _opened(address: Address) -> Iterator[http.client.HTTPConnection]:
    """Connect as the engine would, through the proxy or straight."""
    through = address.proxy
    host, port = (through.hostname or "", _port(through)) if through else (address.host, address.port)
    opened = (
        http.client.HTTPSConnection(host, port, timeout=SECONDS, context=_context(address))
        if address.is_secure
        else http.client.HTTPConnection(host, port, timeout=SECONDS)
    )
    if through and address.is_secure:
        opened.set_tunnel(address.host, address.port, headers=_authorization(through))
    with closing(opened):
        try:
            opened.connect()
            yield opened
        except ssl.SSLError:
            raise
        except (OSError, http.client.HTTPException) as error:
            words = error.strerror if isinstance(error, OSError) else None
            said = words or (str(error) if through else type(error).__name__)
            raise ServerUnavailable(
                f"the connection to {address.host} broke: {said}", after_seconds=LATER_SECONDS
            ) from None


def _context(address: Address) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if address.ca_file:
        try:
            context.load_verify_locations(address.ca_file)
        except (OSError, ssl.SSLError):
            raise ConfigurationError(f"the CA file {address.ca_file} cannot be read as PEM") from None
    return context


def _authorization(proxy: SplitResult) -> dict[str, str]:
    if not proxy.username:
        return {}
    user = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}"
    return {"Proxy-Authorization": f"Basic {b64encode(user.encode()).decode()}"}


def _port(proxy: SplitResult) -> int:
    return proxy.port or (443 if proxy.scheme == "https" else 80)
