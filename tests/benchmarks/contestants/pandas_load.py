"""pandas into PostgreSQL: `python -m tests.benchmarks.contestants.pandas_load FOLDER URI LAKE [multi]`."""

import sys
from datetime import date
from pathlib import Path
from typing import Literal

import pandas as pd
import sqlalchemy as sa

from tests.benchmarks.clock import timed
from tests.benchmarks.in_sql import FLAT, FOLDER, file_of

CHUNK_ROWS = {None: 10_000, "multi": 100}  # the best of several; `multi` has a statement of its own for each


def load(uri: str, lake: Path, method: Literal["multi"] | None = None) -> None:
    """Load the flat table into a new one, in one transaction."""
    frame = pd.read_parquet(file_of(lake, FLAT))
    frame["date"] = date.fromisoformat(FOLDER.partition("=")[2])
    engine = sa.create_engine(uri.replace("postgresql://", "postgresql+psycopg://"))
    frame.to_sql(FLAT, engine, index=False, chunksize=CHUNK_ROWS[method], method=method)
    engine.dispose()


if __name__ == "__main__":
    with timed(Path(sys.argv[1])):
        load(sys.argv[2], Path(sys.argv[3]), "multi" if "multi" in sys.argv else None)
