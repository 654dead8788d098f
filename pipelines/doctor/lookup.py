"""The check that looks up one key, and the queries with which keys are asked for."""

import time
from collections.abc import Mapping
from uuid import uuid4

import pyarrow as pa

from pipelines.doctor.feed import first_keys
from pipelines.doctor.finding import Finding, not_checked, ok
from pipelines.doctor.settings import shown
from pipelines.doctor.setup import Setup
from pipelines.environment import environment
from pipelines.erasure.account import QUERY, ROOTS
from pipelines.privacy import suppression_of
from resources.errors import ConfigurationError, ExtractionError
from resources.graphql.columns import column_name
from resources.graphql.page import Tally
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
    if not QUERY.exists():
        return not_checked(f"there is no {shown(QUERY)} any more, which it would ask with")
    query, keys, whose = _asked(setup)
    if not keys.num_rows:
        return not_checked(f"{whose} is on the suppression list: nobody asks for them")
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
        query = query_by(kind)
        return query, _allowed(setup, query, _key_table(query, value)), f"the {kind} that was given"
    query = query_by("umid")
    keys, whose = _known_keys(setup, query)
    if keys is not None and keys.num_rows:
        return query, keys.slice(0, 1), whose
    unknown = _key_table(query, str(uuid4()))
    return query, unknown, "there is no key in feed and lake to ask for, and one that nobody has"


def _key_table(query: Query, value: str) -> pa.Table:
    plan = keyed(query)
    return pa.table(
        {field.name: pa.array([value], pa.string()).cast(field.type) for field in plan.key_fields}
    )


def _known_keys(setup: Setup, query: Query) -> tuple[pa.Table | None, str]:
    """Give keys of the newest day of the feed, else of the lake; nobody who was erased."""
    names = keyed(query).key_names
    found = _of_feed(setup) or _of_lake(Lake(path=str(setup.settings.lake)))
    if found is None or not set(names) <= set(found[0].column_names):
        return None, ""
    return _allowed(setup, query, found[0].select(names)), found[1]


def _allowed(setup: Setup, query: Query, keys: pa.Table) -> pa.Table:
    """Leave out who was erased."""
    root = Lake(path=str(setup.settings.lake)).root
    return without_suppressed(suppression_of(root), keys, keyed(query))


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


def query_by(kind: str) -> Query:
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


def keyed(query: Query) -> Keyed:
    """Give the plan of a lookup."""
    if not isinstance(query.plan, Keyed):
        raise ConfigurationError(f"{QUERY.name} does not look up by key")
    return query.plan
