"""Writes the keys of so many rows: `python -m tests.benchmarks.keys ROWS FILE`."""

import sys
from pathlib import Path

from tests.benchmarks.rows import Rows


def write_keys(number: int, file: Path) -> None:
    """Write the umid of each row, as CSV."""
    rows = Rows(number)
    file.write_text("\n".join(["umid", *map(rows.umid, range(number))]) + "\n")


if __name__ == "__main__":
    write_keys(int(sys.argv[1]), Path(sys.argv[2]))
