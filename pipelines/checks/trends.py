"""A partition beside the ones before it: more keys not found, more nulls than they vary by themselves."""

import math
from collections.abc import Mapping, Sequence
from statistics import median

from pipelines.checks.finding import Figure, Finding
from pipelines.checks.published import PublishedExtract
from pipelines.checks.shares import Share

PARTITIONS = 7  # published before it, with which one is compared
LEAST_PARTITIONS = 3  # of them; with fewer there is nothing to compare with
POINTS = 0.05  # a share that differs by less has not jumped
DEVIATIONS = 3  # nor has one that so few keys or rows could give by chance
SHOWN = 5  # columns named in a sentence
NOT_FOUND = "not_found"


def jumped(now: Share, earlier: Sequence[Share]) -> bool:
    """Say whether a share is away from the middle of the earlier ones by more than points, theirs, chance."""
    shares = [share.value for share in earlier]
    middle = median(shares)
    likely = (middle * now.whole + 1) / (now.whole + 2)  # not quite 0 or 1, however few there are
    chance = DEVIATIONS * math.sqrt(likely * (1 - likely) / now.whole)
    return abs(now.value - middle) > max(POINTS, max(shares) - min(shares), chance)


def share_not_found(extract: PublishedExtract, folder: str) -> Finding:
    """Compare the share of keys that were not found."""
    statuses = extract.statuses(folder)
    if not statuses:
        return Finding(passed=True, says="no keys were asked")
    now = _not_found(statuses)
    earlier = [_not_found(s) for s in map(extract.statuses, extract.before(folder, PARTITIONS)) if s]
    figures = {"share_not_found": round(now.value, 4), "keys_not_found": now.part, "keys_asked": now.whole}
    if len(earlier) < LEAST_PARTITIONS:
        return Finding(passed=True, says=_too_few(len(earlier)), figures=figures)
    figures["share_not_found_before"] = round(median(share.value for share in earlier), 4)
    if not jumped(now, earlier):
        return Finding(passed=True, figures=figures)
    says = (
        f"{now.value:.1%} of {now.whole:,} keys were not found, {_before(earlier)}: look whether the keys "
        "are of this account and of the kind that the query asks for, and whether the API was whole"
    )
    return Finding(passed=False, says=says, figures=figures)


def null_shares(extract: PublishedExtract, folder: str) -> Finding:
    """Compare the share of nulls in each column, by the statistics in the files' footers."""
    now = extract.nulls(folder)
    if not now:
        return Finding(passed=True, says="the partition has no rows")
    earlier = [shares for shares in map(extract.nulls, extract.before(folder, PARTITIONS)) if shares]
    if len(earlier) < LEAST_PARTITIONS:
        return Finding(passed=True, says=_too_few(len(earlier)), figures=_figures(now, 0, 0))
    before = {name: [shares[name] for shares in earlier if name in shares] for name in now}
    compared = [name for name in now if len(before[name]) >= LEAST_PARTITIONS]
    odd = [name for name in compared if jumped(now[name], before[name])]
    figures = _figures(now, len(compared), len(odd))
    if not odd:
        return Finding(passed=True, figures=figures)
    named = "; ".join(f"{name} {now[name].value:.1%}, {_before(before[name])}" for name in odd[:SHOWN])
    more = f"; and {len(odd) - SHOWN} more" if len(odd) > SHOWN else ""
    says = (
        f"the share of nulls has jumped: {named}{more}. Look whether the account still has these values, or "
        "the API no longer gives them"
    )
    return Finding(passed=False, says=says, figures=figures)


def _not_found(statuses: Mapping[str, Share]) -> Share:
    whole = next(iter(statuses.values())).whole
    return statuses.get(NOT_FOUND, Share(0, whole))


def _figures(now: Mapping[str, Share], compared: int, odd: int) -> dict[str, Figure]:
    shares = {name: round(share.value, 4) for name, share in now.items()}
    return {"columns_jumped": odd, "columns_compared": compared, "null_shares": shares}


def _before(earlier: Sequence[Share]) -> str:
    shares = [share.value for share in earlier]
    return f"in the {len(shares)} partitions before {min(shares):.1%} to {max(shares):.1%}"


def _too_few(number: int) -> str:
    return f"nothing to compare with: {number} published before it, {LEAST_PARTITIONS} are needed"
