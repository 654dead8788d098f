"""A plain client of the sandbox: http.client, one connection a request, no retries, no redirects."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from email.message import Message
from http.client import HTTPConnection
from threading import Event
from typing import Any, NamedTuple
from urllib.parse import urlencode, urlsplit

from tests.sandbox import Sandbox

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
JSON = {"Content-Type": "application/json"}
FIELDS = """profileId owner category source testProfile createdDate changeDate lastSeen firstSeenByMasterFeed
  identifiers { name type value lastSeen } umdids { name type value lastSeen }
  attributes { name value changeDate } permissions { name value changeDate }
  notifications { name version disclosedDate } usedApps { name version lastSeen }
  cookieConsents { domain changeDate purposes { name value } }"""
BY_UMID = "query ($umid: String!) { p: personTargetDataByUmid(umid: $umid) { profileId } }"
LOOKUPS = {
    "personTargetDataByUmid": 'umid: "{umid}"',
    "personTargetDataByProfileId": 'profileId: "{profileId}"',
    "personTargetDataByAnyId": 'idName: "umid", idValue: "{umid}"',
}
PING = "{ __typename }"


class Answer(NamedTuple):
    """What came over the wire."""

    status: int
    headers: Message
    text: str

    @property
    def json(self) -> Any:
        """The body, read as JSON."""
        return json.loads(self.text)


class PlainClient:
    """Asks a sandbox; the access token is made at the first use."""

    def __init__(self, url: str, refresh_token: str) -> None:
        self.netloc = urlsplit(url).netloc
        self.refresh_token = refresh_token
        self.token = ""

    def send(
        self,
        method: str,
        path: str,
        body: str | None = None,
        headers: dict[str, str] | None = None,
        timeout: float = 20,
    ) -> Answer:
        """Send one request over a connection of its own."""
        with closing(HTTPConnection(self.netloc, timeout=timeout)) as connection:
            connection.request(method, path, body and body.encode(), headers or {})
            with connection.getresponse() as response:
                return Answer(response.status, response.headers, response.read().decode())

    def form(self, path: str, **fields: str) -> Answer:
        """POST a form."""
        return self.send("POST", path, urlencode(fields), FORM)

    def token_answer(self) -> Answer:
        """Ask for an access token."""
        return self.form("/auth/token", refresh_token=self.refresh_token)

    def new_token(self) -> str:
        """Make an access token and use it from now on."""
        self.token = self.token_answer().json["access_token"]
        return self.token

    def ask(self, query: str, timeout: float = 20, **variables: object) -> Answer:
        """POST a document."""
        headers = JSON | {"Authorization": f"Bearer {self.token or self.new_token()}"}
        body = json.dumps({"query": query, "variables": variables})
        return self.send("POST", "/graphql", body, headers, timeout)

    def data(self, query: str, **variables: object) -> Any:
        """Give the data of an answer without errors."""
        answer = self.ask(query, **variables).json
        assert list(answer) == ["data"]
        return answer["data"]

    def control(self, body: object) -> Answer:
        """Change switches over the control path."""
        return self.send("POST", "/control", json.dumps(body), JSON)


def batch(umids: list[str], fields: str = "profileId") -> str:
    """Write a document of one alias a umid."""
    lookups = [f'k{i}: personTargetDataByUmid(umid: "{umid}") {{ {fields} }}' for i, umid in enumerate(umids)]
    return f"{{ {' '.join(lookups)} }}"


@contextmanager
def opened(**settings: Any) -> Iterator[tuple[Sandbox, PlainClient]]:
    """Open a sandbox of 20 people with some settings; give it and a client of it."""
    with Sandbox(**{"people": 20} | settings) as sandbox:
        yield sandbox, PlainClient(sandbox.url, sandbox.refresh_token)


def until(condition: Callable[[], bool]) -> None:
    """Wait until something holds, at most ten seconds."""
    end, never = time.monotonic() + 10, Event()
    while not condition():
        assert time.monotonic() < end
        never.wait(0.005)


def statuses(client: PlainClient, number: int) -> list[int]:
    """Ask so many times; give the statuses."""
    return [client.ask(PING).status for _ in range(number)]
