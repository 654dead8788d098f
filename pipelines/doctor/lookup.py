"""Checks by asking: one key looked up, and how many keys one document may have."""

import time
from collections.abc import Mapping
from uuid import uuid4

import pyarrow as pa

from pipelines.doctor.feed import first_keys
from pipelines.doctor.finding import Finding, ok, problem, warning
from pipelines.doctor.setup import Setup
from pipelines.environment import environment
from pipelines.erasure import QUERY, ROOTS
from pipelines.privacy import suppression_of
from pipelines.variables import PREFIX
from resources.errors import ConfigurationError, ExtractionError, Refused, ServerUnavailable
from resources.graphql.answer import Answer
from resources.graphql.columns import column_name
from resources.graphql.page import Tally
from resources.graphql.paging.lookup import trusted
from resources.graphql.plan import Keyed
from resources.graphql.query import Query, load_schema
from resources.graphql.tables import LOOKUPS
from resources.lake import Lake
from resources.privacy.keys import without_suppressed

NAME = "doctor"
ANY_ID = """query ($idName: String!, $idValue: String!) {
  personTargetDataByAnyId(idName: $idName, idValue: $idValue) { profileId }
}"""
KEYS = "profile_keys"


def lookup(setup: Setup) -> Finding:
    """Look up one key, which is not shown."""
    query, keys, whose = _asked(setup)
    began = time.monotonic()
    tally, statuses = Tally(), pa.array([], pa.string())
    for page in setup.account.pages(query, keys=keys):
        tally.add(page)
        statuses = page.tables[query.name + LOOKUPS]["status"]
    took = f"in {(time.monotonic() - began) * 1000:,.0f} ms"
    (status,) = set(statuses.to_pylist())
    if status == "failed":
        tally.check(max_failed=0, what="the lookup")
    return ok(f"{whose} is {status.replace('_', ' ')}, {took}")


def _asked(setup: Setup) -> tuple[Query, pa.Table, str]:
    """Choose whom to ask for: who is named, a key of the feed or the lake, or somebody who is nobody."""
    if setup.key:
        kind, value = setup.key
        query = _query(kind)
        return query, _key_table(query, value), f"the {kind} that was given"
    query = _query("umid")
    keys, whose = _known_keys(setup, query)
    if keys is not None and keys.num_rows:
        return query, keys.slice(0, 1), whose
    unknown = _key_table(query, str(uuid4()))
    return query, unknown, "there is no key in feed and lake to ask for, and one that nobody has"


def _key_table(query: Query, value: str) -> pa.Table:
    plan = _keyed(query)
    return pa.table(
        {field.name: pa.array([value], pa.string()).cast(field.type) for field in plan.key_fields}
    )


def _known_keys(setup: Setup, query: Query) -> tuple[pa.Table | None, str]:
    """Give keys of the newest day of the feed, else of the lake; nobody who was erased."""
    plan, lake = _keyed(query), Lake(path=str(setup.settings.lake))
    names = [field.name for field in plan.key_fields]
    found = _of_feed(setup) or _of_lake(lake)
    if found is None or not set(names) <= set(found[0].column_names):
        return None, ""
    return without_suppressed(suppression_of(lake.root), found[0].select(names), plan), found[1]


def _of_feed(setup: Setup) -> tuple[pa.Table, str] | None:
    try:
        keys = first_keys(setup)
    except ExtractionError:  # its own check says so
        return None
    return (keys, "a key of the feed") if keys is not None and keys.num_rows else None


def _of_lake(lake: Lake) -> tuple[pa.Table, str] | None:
    try:
        published = [found for found in lake.manifests(KEYS) if found.rows]
        return (lake.read(KEYS, published[-1].partition), "a key of the lake") if published else None
    except ExtractionError:  # its own check says so
        return None


def _query(kind: str) -> Query:
    """Load what asks by a kind of identifier: the shipped query, or a small one."""
    options: Mapping[str, str] = environment().scalars
    schema = environment().schema_file
    root = ROOTS.get(column_name(kind))
    if root:
        return Query.load(QUERY, schema=schema, name=NAME, root=root, identity="profileId", scalars=options)
    return Query.parse(
        ANY_ID,
        schema=load_schema(schema),
        path="a lookup by any kind of identifier",
        name=NAME,
        identity="profileId",
        kinds=[kind],
        scalars=options,
    )


def _keyed(query: Query) -> Keyed:
    if not isinstance(query.plan, Keyed):
        raise ConfigurationError(f"{QUERY.name} does not look up by key")
    return query.plan


def aliases(setup: Setup) -> Finding:
    """Ask for one unknown key, by more and more aliases of one document, until that is refused."""
    plan, most = _keyed(_query("umid")), setup.account.max_batch
    probe = Probe(setup, plan)
    accepted, refused = 0, most + 1
    try:
        while accepted < most and refused - accepted > 1:
            size = min(max(1, accepted * 2), most) if refused > most else (accepted + refused) // 2
            if probe.accepts(size):
                accepted = size
            else:
                refused = size
    except ServerUnavailable as error:
        if accepted < 1:
            raise
        return warning(
            f"{accepted} keys in one document are answered, {size} are not: {error}",
            f"{PREFIX}MAX_BATCH={accepted} if that stays so",
        )
    if not accepted:
        return problem("not even one key in a document is accepted", "targetdata schema pull")
    if refused <= most:
        return ok(
            f"{accepted} keys in one document, no more ({probe.requests} requests); runs find that by "
            f"themselves, {PREFIX}MAX_BATCH={accepted} spares them the search"
        )
    return ok(f"{most} keys in one document, as many as {PREFIX}MAX_BATCH allows ({probe.requests} requests)")


class Probe:
    """Asks for a key that nobody has, and counts the requests: at most some 13 for a hundred aliases."""

    def __init__(self, setup: Setup, plan: Keyed) -> None:
        self.requests = 0
        self._client = setup.account.client
        self._plan = plan
        self._key = tuple(str(uuid4()) for _ in plan.keys)

    def accepts(self, size: int) -> bool:
        """Say whether a document of so many aliases is answered."""
        self.requests += 1
        try:
            said = self._client.ask(self._plan.batch(size), self._plan.variables([self._key] * size))
        except Refused:
            return False
        return trusted(Answer.of(said), size)
