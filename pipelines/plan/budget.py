"""Whether a plan is within the budget; if not, by how much, and how to go on."""

from collections.abc import Sequence
from dataclasses import dataclass

from pipelines.plan.backfill import Plan
from resources.errors import OverBudget


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """So many lookups and requests at most; None is no limit."""

    lookups: int | None
    requests: int | None
    settings: Sequence[str] = ()  # the variables that set them

    @property
    def unset(self) -> str | None:
        """Say that there is none, and how to set one."""
        if self.lookups is not None or self.requests is not None:
            return None
        return f"No budget is set, so no size is refused: set {' or '.join(self.settings)}"

    def complaints(self, plan: Plan) -> list[str]:
        """Say what is over it, or cannot be said to be within it."""
        if self.unset:
            return []
        found = [*self._lookups(plan), *self._requests(plan)]
        if plan.unknown:
            found.append(f"partitions with unknown keys: {len(plan.unknown):,}")
        return found

    def require(self, plan: Plan) -> None:
        """Raise OverBudget where there are complaints."""
        if found := self.complaints(plan):
            raise OverBudget(
                f"{plan.extract} is over the budget, or not known to be within it: {'; '.join(found)}. "
                "Choose fewer partitions with --from and --to, raise it, or pass it with --over-budget"
            )

    def _lookups(self, plan: Plan) -> list[str]:
        asked = plan.configured.lookups
        if self.lookups is None or asked is None or asked <= self.lookups:
            return []
        together = plan.ways["one_run"].lookups or 0
        hint = f" (in one run it is {together:,})" if together <= self.lookups else ""
        return [f"{asked:,} lookups are {asked - self.lookups:,} more than {self.lookups:,}{hint}"]

    def _requests(self, plan: Plan) -> list[str]:
        if self.requests is None:
            return []
        costs = plan.configured
        needed = costs.requests or costs.bounds
        if needed is None or needed.high is None:
            return [] if plan.unknown else ["how many requests it takes is not known before it has run once"]
        if needed.high <= self.requests:
            return []
        about = "about" if costs.requests else "up to"
        part = "a tenth of it" if costs.beyond_seen else "one partition"
        first = "" if costs.requests else f"; run {part} first, and the plan knows more"
        more = needed.high - self.requests
        return [f"{about} {needed.high:,.0f} requests are {more:,.0f} more than {self.requests:,}{first}"]
