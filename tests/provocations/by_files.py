"""Errors that files and other runs provoke: the feed, the lake, and what is staged in it."""

import errno
import os
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pyarrow.parquet as pq

from pipelines.extraction import Extraction
from resources import errors
from resources.feed import Feed, read_key_file
from resources.lake.publishing.claim import Claims
from resources.lake.publishing.commit import Commit
from resources.privacy import Suppression
from tests.provocations.bench import NARROW, QUERY, UMID, Bench, api, faults, mark, provokes, telling


@provokes(errors.SchemaChanged)
def other_columns(bench: Bench) -> None:
    """A table has fewer columns than the query gives it."""
    with bench.lake.write("date=2026-01-01", NARROW.tables, run="earlier"):
        pass
    bench.extract()


@provokes(errors.FeedError)
def broken_json(bench: Bench) -> None:
    """A line ends in the middle of a value."""
    read_key_file(
        bench.file("broken.jsonl", f'{{"umid": "{bench.key}", "x": {mark("line")}\n'.encode()), columns=UMID
    )


@provokes(errors.FeedError)
def wrong_json(bench: Bench) -> None:
    """A key is an object."""
    read_key_file(bench.file("wrong.jsonl", f'{{"umid": {{"{bench.key}": 1}}}}\n'.encode()), columns=UMID)


@provokes(errors.FeedError)
def broken_csv(bench: Bench) -> None:
    """A row has a quote too many."""
    read_key_file(
        bench.file("broken.csv", f'umid,x\n"{bench.key}" {mark("cell")},"\n'.encode()), columns=UMID
    )


@provokes(errors.FeedError)
def not_utf_8(bench: Bench) -> None:
    """A line holds bytes that are no text."""
    read_key_file(bench.file("odd.jsonl", f'{{"umid": "{bench.key}'.encode() + b'\xff"}\n'), columns=UMID)


@provokes(errors.FeedError)
def broken_parquet(bench: Bench) -> None:
    """The middle of a file is damaged."""
    path = bench.folder / "feed" / "broken.parquet"
    pq.write_table(bench.keys, path, compression="none", use_dictionary=False)
    content = path.read_bytes()
    read_key_file(bench.file("broken.parquet", content[:4] + b"\xff" * 30 + content[34:]), columns=UMID)


@provokes(errors.ColumnMissing)
def no_header(bench: Bench) -> None:
    """Keys stand where names should."""
    read_key_file(bench.file("headless.csv", f"{bench.key},1\n{bench.key},2\n".encode()), columns=UMID)


@provokes(errors.LakeError)
def damaged_table(bench: Bench) -> None:
    """A published file is cut."""
    bench.extract()
    path = next(bench.lake.root.glob("profiles/*.parquet"))
    path.write_bytes(path.read_bytes()[:-40])
    bench.lake.read("profiles")


@provokes(errors.LakeError)
def published_by_half(bench: Bench) -> None:
    """What is committed cannot be put in place, and its record stays."""

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    finish, Commit.finish = Commit.finish, full  # type: ignore[method-assign,assignment]
    try:
        bench.extract()
    finally:
        Commit.finish = finish  # type: ignore[method-assign]


@provokes(errors.PartitionMissing)
def nothing_there(bench: Bench) -> None:
    """A table was never made."""
    bench.lake.read("nothing")


@provokes(errors.Fenced)
def fenced_out(bench: Bench) -> None:
    """Another run claims the partition."""
    bench.extract(then=lambda: Claims(bench.lake.root, "profiles", "").add("another", above=0))


@provokes(errors.OverBudget)
def over_budget(bench: Bench) -> None:
    """There are more keys than the budget allows."""
    bench.extract(budget_lookups=1)


@provokes(errors.TooManyFailed)
def too_many_failed(bench: Bench) -> None:
    """One key fails for good; its message and code quote it."""
    with faults(alias_errors={bench.key: -1}, **telling(bench)):
        bench.extract()


@provokes(errors.AccountingError)
def damaged_slice(bench: Bench) -> None:
    """What is staged is no longer what was written."""

    def damage() -> None:
        for path in bench.lake.root.rglob("*.arrow"):
            path.write_bytes(path.read_bytes()[:-8] + b"12345678")

    bench.extract(then=damage)


@provokes(errors.AccountingError)
def pages_left_out(bench: Bench) -> None:
    """A loop leaves pages out."""
    with api() as targetdata, Extraction(bench.context, bench.lake, QUERY).partition(None) as opened:
        for page in targetdata.pages(QUERY, keys=bench.keys, resume=opened.resume):
            opened.write(page)
            break


@provokes(errors.FeedMissing)
def late_feed(bench: Bench) -> None:
    """Yesterday's file has not come."""
    end = datetime.now(UTC)
    feed = Feed(pattern=f"{bench.folder}/none/{{date}}.jsonl", columns=UMID, late_seconds=0.001)
    feed.read(start=end - timedelta(days=1), end=end)


@provokes(errors.LakeBusy)
def held_partition(bench: Bench) -> None:
    """Another process holds the partition."""
    with Claims(bench.lake.root, "profiles", "").locked():
        bench.extract()


@provokes(errors.ErasedMeanwhile)
def erased_meanwhile(bench: Bench) -> None:
    """Each time it is tried, another person is put on the suppression list."""
    key = os.environ["TARGETDATA_PRIVACY_KEY"] = mark("privacy-key")
    bench.extract(then=lambda: Suppression.add(bench.lake.root, key, [("umid", uuid4().hex)]))
