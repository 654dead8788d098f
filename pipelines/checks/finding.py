"""What a check finds."""

from collections.abc import Mapping
from dataclasses import dataclass, field

Figure = int | float | str | dict[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Whether a check has passed; `says` what is wrong and what to do. Numbers in `figures` are plotted."""

    passed: bool
    says: str | None = None
    figures: Mapping[str, Figure] = field(default_factory=dict)
