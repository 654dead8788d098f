"""The naive loop: gql as its page begins, one lookup a request, rows in a list, pandas at the end."""

import sys
from pathlib import Path

import pandas as pd
from gql import Client, gql
from gql.transport.requests import RequestsHTTPTransport

from tests.benchmarks.documents import BY_UMID


def run(url: str, folder: Path, keys: Path) -> None:
    """Look up each key; the session is kept open and the document parsed once."""
    query = gql(BY_UMID.read_text())
    rows = []
    with Client(transport=RequestsHTTPTransport(url=url)) as session:
        for umid in keys.read_text().split()[1:]:
            query.variable_values = {"umid": umid}
            profile = session.execute(query)["personTargetDataByUmid"]
            if profile is not None:
                rows.append(profile)
    frame = pd.DataFrame(rows)
    for column in ("createdDate", "changeDate", "lastSeen", "firstSeenByMasterFeed"):
        frame[column] = pd.to_datetime(frame[column], format="ISO8601", utc=True, errors="coerce")
    frame.to_parquet(folder / "profiles.parquet", compression="zstd")


if __name__ == "__main__":
    run(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
