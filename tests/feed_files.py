"""Files of a feed, written and read."""

import datetime
import json
import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from resources.errors import FeedError
from resources.feed import FeedKeys, read_keys

DAY = datetime.date(2026, 11, 22)
SECRET = "c0ffee-key-of-a-customer"


def read(folder: Path, pattern: str = "*", column: str = "umid") -> FeedKeys:
    return read_keys(f"{folder.parent}/{{date}}/{pattern}", day=DAY, columns={"key": column})


def keys(feed: FeedKeys) -> list[str]:
    assert feed.events == feed.null_keys + feed.duplicate_keys + feed.keys.num_rows
    assert feed.keys.schema == pa.schema([("key", pa.string())])
    found: list[str] = feed.keys.column("key").to_pylist()
    return found


def relative(folder: Path, feed: FeedKeys) -> list[str]:
    return [os.path.relpath(file, folder) for file in feed.files]


def refusal(folder: Path, column: str = "umid") -> str:
    """The message of the error; it never holds the key that the tests hide in the feed."""
    with pytest.raises(FeedError) as caught:
        read(folder, column=column)
    assert SECRET not in str(caught.value)
    assert folder.name in str(caught.value)
    return str(caught.value)


def jsonl(*events: object) -> bytes:
    return "".join(json.dumps(event, ensure_ascii=False) + "\n" for event in events).encode()


def parquet(folder: Path, values: pa.Array, column: str = "umid") -> None:
    pq.write_table(pa.table({"other": pa.nulls(len(values)), column: values}), folder / "a.parquet")
