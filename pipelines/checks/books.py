"""What an accounting has found to be wrong, and its figures."""

from collections.abc import Mapping

import pyarrow as pa
import pyarrow.compute as pc

from pipelines.checks.finding import Figure


class Books:
    """Compares what must be the same, and keeps the sentences about what is not."""

    def __init__(self) -> None:
        self.wrong: list[str] = []
        self.figures: dict[str, Figure] = {}

    def same(self, what: str, said: Mapping[str, int | str], *, shown: int | None = None) -> None:
        """Take note where not all are the same; of a text so many letters are `shown`."""
        if len(set(said.values())) > 1:
            self.wrong.append(
                f"{what}: " + ", ".join(f"{by} {_shown(is_, shown)}" for by, is_ in said.items())
            )

    def none(self, what: str, marks: pa.ChunkedArray) -> None:
        """Take note where some are marked."""
        if number := total(marks):
            self.wrong.append(f"{what}: {number:,}")


def _shown(said: int | str, letters: int | None) -> str:
    return f"{said:,}" if isinstance(said, int) else said[:letters]


def total(numbers: pa.ChunkedArray) -> int:
    """Add up numbers, or count marks."""
    return pc.sum(numbers, min_count=0).as_py() or 0
