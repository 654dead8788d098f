"""What the sandbox may do wrong, switched by flag, by attribute or over the control path."""

import random
from dataclasses import dataclass, field, fields
from typing import Any

GOOD = "none"
KINDS = (
    *(
        "429",
        "429-date",
        "500",
        "502-html",
        "503",
        "503-later",
        "drop",
        "truncated",
        "truncated-json",
        "html",
        "empty",
    ),
    *("401", "graphql-error", "throttled-error", "no-fields", "data-and-error", GOOD),
)


@dataclass
class Faults:
    """Switches; all of them may be changed while the sandbox runs.

    `every` n-th answer of /graphql is a fault, or a random `share` of them; `kinds` are taken in turn, "none"
    among them being a good answer. `token_every` and `token_kinds` are the same for /auth/token.
    """

    every: int = 0
    share: float = 0.0
    kinds: list[str] = field(default_factory=list)
    token_every: int = 0
    token_kinds: list[str] = field(default_factory=list)
    retry_after: float = 1.0  # seconds
    alias_errors: dict[str, int] = field(default_factory=dict)  # key: how often its alias fails, -1 for ever
    alias_error_code: str = "INTERNAL"
    alias_error_message: str = "Exception while fetching data"
    pathless: bool = False  # errors of aliases do not say whose they are
    nested_errors: dict[str, int] = field(default_factory=dict)  # the same, deeper: `attributes` is null
    poison: list[str] = field(default_factory=list)  # a document that holds such a key is answered 500
    poison_after: int = 0  # keyed documents that are answered before
    max_aliases: int | None = None
    alias_refusal: str = "400"  # or 200-message, 413-html, timeout
    max_complexity: int | None = None  # fields of a document
    latency: float = 0.0  # seconds before each answer
    gather: int = 0  # holds requests back, once, until so many are open
    stall: bool = False  # never answers
    outage: int = 0  # so many requests are answered 503, after `outage_after` others
    outage_after: int = 0
    trickle: bool = False  # a byte a second
    requests_per_second: float | None = None
    redirect_to: str | None = None
    redirect_token_to: str | None = None
    reject_fresh_tokens: bool = False
    refuse_refresh: int | None = None  # the status that /auth/token answers
    omit_expires_in: bool = False
    rotated_refresh_token: str | None = None  # stands in the token answer; the old one stays good
    telling: str = ""  # what pages and messages of errors say besides, such as a token or a key
    status: int | None = None  # a fixed status of /graphql
    field_overrides: dict[str, Any] = field(default_factory=dict)  # of profiles, by name of the field

    def change(self, values: dict[str, Any]) -> None:
        """Set switches by name; an unknown one is an error."""
        if not isinstance(values, dict):
            raise ValueError("switches come as an object")  # noqa: TRY004
        known = {f.name for f in fields(self)}
        if unknown := sorted(set(values) - known):
            raise ValueError(f"no such switch: {', '.join(unknown)}")
        kinds = [*values.get("kinds", []), *values.get("token_kinds", [])]
        if unknown := sorted(set(kinds) - set(KINDS)):
            raise ValueError(f"no such kind of fault: {', '.join(unknown)}; there are {', '.join(KINDS)}")
        for name, value in values.items():
            setattr(self, name, value)


class Turns:
    """Says which answer is a fault, and of which kind."""

    def __init__(self, seed: int) -> None:
        self._source = random.Random(f"{seed}:faults")
        self._answers = self._faults = 0

    def kind(self, every: int, share: float, kinds: list[str]) -> str | None:
        """Count one answer; give its kind of fault, None for a good one."""
        self._answers += 1
        due = (every and self._answers % every == 0) or (share and self._source.random() < share)
        if not kinds or not due:
            return None
        self._faults += 1
        kind = kinds[(self._faults - 1) % len(kinds)]
        return None if kind == GOOD else kind
