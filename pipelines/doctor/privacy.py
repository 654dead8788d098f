"""The check of the privacy key, where something needs one."""

from pipelines.doctor.finding import Finding, not_checked, ok
from pipelines.doctor.settings import shown
from pipelines.doctor.setup import Setup
from pipelines.erasure.account import QUERY
from pipelines.privacy import privacy_of, screen_of, suppression_of
from resources.graphql.query import Query
from resources.lake import Lake


def privacy(setup: Setup) -> Finding:
    """Make what the pages of a run pass: it needs the key for pseudonyms and the suppression list."""
    if not QUERY.exists():
        return not_checked(f"there is no {shown(QUERY)} any more, whose texts would be looked at")
    settings = setup.settings
    root = Lake(path=str(settings.lake)).root
    query = Query.load(QUERY, schema=settings.schema_file, identity="profileId", scalars=settings.scalars)
    screen = screen_of(privacy_of(query), root)
    listed = len(suppression_of(root))
    if not screen.says and not listed:
        return ok("no pseudonyms and nobody suppressed: no key is needed")
    return ok(f"{screen.says or 'no pseudonyms'}; {listed:,} hashes on the suppression list")
