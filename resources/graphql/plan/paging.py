"""How to page, where the document alone does not say it."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, Literal

from resources.errors import ConfigurationError
from resources.graphql.plan.vocabulary import STRATEGIES, Strategy


@dataclass(frozen=True, slots=True, kw_only=True)
class Paging:
    """What is None is inferred from the document.

    `rows` and the signals `more`, `cursor`, `next`, `total` and `total_pages` are paths of response names
    from the root field on, as in `characters.info.next`; `position` and `size` are names of variables. A
    `cursor` within the rows is that of the last one. `first_page` is the number of the first page: 1, or 0
    where that is the default of the document's variable or of the schema's argument.

    `errors="null"` keeps rows of which the server nulls fields with an error, `null_rows="drop"` drops rows
    that are null; both are counted in the notes. Without them such an answer is refused.
    """

    strategy: Strategy | None = None
    rows: str | None = None
    position: str | None = None
    size: str | None = None
    more: str | None = None
    cursor: str | None = None
    next: str | None = None
    total: str | None = None
    total_pages: str | None = None
    first_page: int | None = None
    errors: Literal["null"] | None = None
    null_rows: Literal["drop"] | None = None

    def __post_init__(self) -> None:
        """Refuse words that there are not."""
        if self.strategy is not None and self.strategy not in STRATEGIES:
            raise ConfigurationError(
                f"there is no paging strategy {self.strategy!r}; there are: {', '.join(STRATEGIES)}"
            )
        for name, value, word in (("errors", self.errors, "null"), ("null_rows", self.null_rows, "drop")):
            if value not in (None, word):
                raise ConfigurationError(f"{name} in Paging is {word!r} or nothing, not {value!r}")

    @property
    def wants_list(self) -> bool:
        """Say whether anything is set that only a list has."""
        if self.strategy == "keyed":
            return False
        return any(getattr(self, field.name) is not None for field in fields(self))

    @classmethod
    def of(cls, texts: Sequence[str]) -> "Paging":
        """Read `offset`, `rows=data.items`, `first_page=0`, as they are typed on a command line."""
        values: dict[str, Any] = {}
        for text in texts:
            name, equals, value = text.partition("=")
            if not equals:
                name, value = "strategy", text
            if name not in (names := [field.name for field in fields(cls)]):
                raise ConfigurationError(f"--paging {text}: there are: a strategy, {', '.join(names[1:])}")
            values[name] = _number(text, value) if name == "first_page" else value
        return cls(**values)


def _number(text: str, value: str) -> int:
    try:
        return int(value)
    except ValueError:
        raise ConfigurationError(f"--paging {text}: first_page is a number") from None
