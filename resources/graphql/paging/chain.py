"""A chain of identifier kinds: where one leads to nobody, the next is asked."""

from collections.abc import Sequence
from dataclasses import replace

from resources.graphql.paging.lookup import Key, Lookup, Outcome
from resources.graphql.plan import Keyed


class Chain:
    """Asks for each row of keys by its identifiers in turn, until one is found or fails.

    A row has a value, or null, for each of the plan's kinds; the lookups of a round go together in one batch,
    each distinct one once.
    """

    def __init__(self, plan: Keyed, lookup: Lookup) -> None:
        self._kinds = plan.kinds
        self._lookup = lookup

    async def ask(self, rows: Sequence[Key]) -> list[Outcome]:
        """Give one outcome a row, in their order; its attempts are those of all kinds asked."""
        outcomes: dict[int, Outcome] = {}
        for position, kind in enumerate(self._kinds):
            asked = [i for i, row in enumerate(rows) if row[position] is not None and _is_open(outcomes, i)]
            values = list(dict.fromkeys(rows[i][position] for i in asked))
            answers = await self._lookup.ask([(kind, value) for value in values]) if values else []
            answered = dict(zip(values, answers, strict=True))
            for index in asked:
                answer = answered[rows[index][position]]
                outcomes[index] = _continued(outcomes.get(index), answer, rows[index], kind)
        return [outcomes[index] for index in range(len(rows))]


def _is_open(outcomes: dict[int, Outcome], index: int) -> bool:
    return index not in outcomes or outcomes[index].status == "not_found"


def _continued(before: Outcome | None, answer: Outcome, row: Key, kind: str) -> Outcome:
    attempts = answer.attempts + (before.attempts if before else 0)
    answered_by = kind if answer.row is not None else None
    return replace(answer, key=row, attempts=attempts, answered_by=answered_by)
