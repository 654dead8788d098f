"""What a provocation has at hand: a lake of its own, an API, faults of the sandbox; and the table of all."""

import json
import os
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

import dagster as dg
import pyarrow as pa

from pipelines.environment import environment
from pipelines.extraction import Extraction
from resources import errors
from resources.errors import ExtractionError
from resources.graphql.query import Query
from resources.lake import Lake
from resources.targetdata import TargetDataResource
from tests.canaries import MARK, edited_schema
from tests.sandbox.faults import Faults

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = ROOT / "pipelines" / "defs" / "profiles" / "profiles.graphql"
TEXT = DOCUMENT.read_text("utf-8").replace("    owner\n", "    owner\n    visits\n    score\n")
SCHEMA = edited_schema()
UMID = {"umid": "umid"}
QUERY = Query.parse(TEXT, schema=SCHEMA, path="profiles.graphql", name="profiles", identity="profileId")
NARROW = Query.parse(
    TEXT.replace("    score\n", ""),
    schema=SCHEMA,
    path="profiles.graphql",
    name="profiles",
    identity="profileId",
)


@dataclass
class Bench:
    """What a provocation has: the asset's context, a lake of its own, keys, and the sandbox's faults."""

    context: dg.AssetExecutionContext
    folder: Path
    keys: pa.Table
    lake: Lake = field(init=False)

    def __post_init__(self) -> None:
        self.lake = Lake(path=str(self.folder / "lake" / self.context.asset_key.to_user_string()))

    @property
    def key(self) -> str:
        """One of the keys."""
        return str(self.keys["umid"][0])

    def extract(
        self,
        query: Query = QUERY,
        *,
        keys: pa.Table | None = None,
        then: Callable[[], object] = lambda: None,
        **settings: object,
    ) -> int:
        """Run an extract over the keys, with something in between; give how many an earlier one had left."""
        asked = self.keys if keys is None else keys
        with (
            api(**settings) as targetdata,
            Extraction(self.context, self.lake, query).partition(None) as opened,
        ):
            for page in targetdata.pages(query, keys=asked, resume=opened.resume):
                opened.write(page)
            then()
            return opened.tally.staged

    def file(self, name: str, content: bytes) -> str:
        """Write a file into the feed."""
        path = self.folder / "feed" / name
        path.write_bytes(content)
        return str(path)


def mark(name: str) -> str:
    """Make a canary that the code's own lines, which are part of a traceback, do not show."""
    return f"{MARK}{name}"


Provocation = Callable[[Bench], object]
PROVOKED: dict[type[ExtractionError], list[Provocation]] = {}
BASES = {  # never raised themselves
    errors.ExtractionError,
    errors.PersonNeeded,
    errors.TryLater,
    errors.Attempt,
}


def provokes(*kinds: type[ExtractionError]) -> Callable[[Provocation], Provocation]:
    """Enter a provocation in the table; what it raises is, or comes from, each of the kinds."""

    def entered(provocation: Provocation) -> Provocation:
        for kind in kinds:
            PROVOKED.setdefault(kind, []).append(provocation)
        return provocation

    return entered


@contextmanager
def api(**settings: object) -> Iterator[TargetDataResource]:
    """Connect to the account."""
    token = os.environ["TARGETDATA_REFRESH_TOKEN"]
    given = {"base_url": environment().base_url, "refresh_token": token, "max_attempts": 2, "max_batch": 2}
    resource = TargetDataResource(**(given | settings))
    try:
        yield resource
    finally:
        resource.close()


@contextmanager
def faults(*, url: str = "", **switches: object) -> Iterator[None]:
    """Let the account's sandbox, or another, do something wrong meanwhile."""
    before, url = asdict(Faults()), url or environment().base_url
    control(url, switches)
    try:
        yield
    finally:
        control(url, {name: before[name] for name in switches})


def control(url: str, switches: Mapping[str, object]) -> None:
    """Set a sandbox's switches."""
    body = json.dumps(switches).encode()
    with urllib.request.urlopen(f"{url}/control", body) as answer:
        answer.read()


def telling(bench: Bench) -> dict[str, object]:
    """Let errors of keys quote what they should not."""
    said = f"{mark('message')}: no access to {bench.key}"
    return {"alias_error_message": said, "alias_error_code": mark("in-a-code")}
