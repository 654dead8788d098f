"""What the account answers of a person, by the shipped query."""

from pathlib import Path

import pyarrow as pa

from pipelines.environment import environment
from pipelines.erasure.identifiers import identifiers_of
from resources.connection import Connection
from resources.graphql.page import Tally
from resources.graphql.query import Query
from resources.graphql.tables import LOOKUPS
from resources.privacy.person import Person

QUERY = Path(__file__).parent.parent / "defs" / "profiles" / "profiles.graphql"
ROOTS = {"umid": "personTargetDataByUmid", "profile_id": "personTargetDataByProfileId"}


def answered(connection: Connection, person: Person) -> Person:
    """Ask the account who a person is, with the shipped query."""
    found = Person()
    for column, root in ROOTS.items():
        values = {**person.keys, **person.identities}.get(column)
        if values:
            query = Query.load(
                QUERY,
                schema=environment().schema_file,
                name=f"erasure_by_{column}",
                root=root,
                identity="profileId",
                scalars=environment().scalars,
            )
            name = query.tables[query.name + LOOKUPS].names[0]
            tally = Tally()
            for page in connection.pages(query, keys=pa.table({name: sorted(values)})):
                tally.add(page)
                found = found.and_(_in_answer(page.tables[query.name]))
            tally.check(max_failed=0, what="who the person is")
    return found


def _in_answer(rows: pa.Table) -> Person:
    entries, found = identifiers_of("profiles", rows.schema), Person()
    for batch in rows.to_batches():
        ids = frozenset(batch.column("profile_id").drop_null().to_pylist())
        names = frozenset(entries.read(batch)) if entries else frozenset()
        found = found.and_(Person({"profile_id": ids}, names=names))
    return found
