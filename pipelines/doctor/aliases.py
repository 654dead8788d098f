"""The check of how many keys one document may have."""

from uuid import uuid4

from pipelines.doctor.finding import Finding, not_checked, ok, problem, warning
from pipelines.doctor.lookup import keyed, query_by
from pipelines.doctor.settings import shown
from pipelines.doctor.setup import Setup
from pipelines.doctor.whose import command
from pipelines.erasure.account import QUERY
from pipelines.variables import PREFIX
from resources.errors import Refused, ServerUnavailable
from resources.graphql.paging.lookup import trusted
from resources.graphql.plan import Keyed
from resources.graphql.sending.answer import Answer


def aliases(setup: Setup) -> Finding:
    """Ask for one unknown key, by more and more aliases of one document, until that is refused."""
    if not QUERY.exists():
        return not_checked(f"there is no {shown(QUERY)} any more, which it would ask with")
    plan, most = keyed(query_by("umid")), setup.account.max_batch
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
        return problem("not even one key in a document is accepted", command("schema pull"))
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
