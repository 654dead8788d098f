"""Which days of a feed have arrived, or were delivered anew, since they were last looked at."""

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import dagster as dg
import msgspec

from resources.feed import Feed, KeySource
from resources.key_files.content import Content
from resources.key_files.place import File

TICK_SECONDS = 20.0  # of reading files in one tick; a sensor's tick may take a minute
UNFINISHED = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]
VERSION = "dagster/data_version"


class Seen(msgspec.Struct):
    """A day's files as they were seen: `version` is the digest of the first `read` of them."""

    listing: str
    read: int = 0
    version: str = ""
    done: bool = False


@dataclass(frozen=True, slots=True)
class Recorded:
    """What Dagster knows of a day's keys: the event's number and the data version."""

    event: int = 0
    version: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """The asset whose keys a feed gives, and the job that makes its days."""

    instance: dg.DagsterInstance
    asset: dg.AssetKey
    job: str
    partitions: dg.TimeWindowPartitionsDefinition

    def last_days(self, number: int) -> Sequence[str]:
        """Name the newest partitions that have ended."""
        return self.partitions.get_partition_keys()[-number:]

    def start(self, day: str) -> datetime:
        """Give the moment at which a partition begins."""
        return self.partitions.time_window_for_partition_key(day).start

    def recorded(self, day: str) -> Recorded:
        """Look up the newest materialization of a day's keys."""
        wanted = dg.AssetRecordsFilter(self.asset, asset_partitions=[day])
        for record in self.instance.fetch_materializations(wanted, limit=1).records:
            event = record.asset_materialization
            return Recorded(record.storage_id, (event.tags or {}).get(VERSION, "") if event else "")
        return Recorded()

    def is_running(self, day: str) -> bool:
        """Say whether a run that makes the day's keys, alone or in a range, has not ended yet."""
        runs = self.instance.get_runs(dg.RunsFilter(statuses=UNFINISHED))
        return any(self._is_made_by(run) and _covers(run, day) for run in runs)

    def _is_made_by(self, run: dg.DagsterRun) -> bool:
        return self.asset in run.asset_selection if run.asset_selection else run.job_name == self.job


def _covers(run: dg.DagsterRun, day: str) -> bool:
    """Say whether a run is of a day; the keys of partitions by time are in the order of time."""
    first, last = (run.tags.get(f"dagster/asset_partition_range_{end}", "") for end in ("start", "end"))
    return run.tags.get("dagster/partition") == day or bool(first and last and first <= day <= last)


def watch(
    context: dg.SensorEvaluationContext, source: KeySource, line: Line, *, days: int
) -> dg.SensorResult:
    """Ask for a run of each of the last days whose files are there, and new.

    A listing that changed since the tick before is looked at again in the next: a file may still be written.
    Only then is the content read, for its digest; what the day's keys were made of needs no run.
    """
    if not isinstance(source, Feed):
        return dg.SensorResult(skip_reason="the keys come from no files, so there is nothing to look for")
    earlier = _decoded(context.cursor)
    look = _Look(source, line)
    seen, requests, notes = {}, [], []
    for day in line.last_days(days):
        seen[day], request, note = look.at(day, earlier.get(day))
        requests += [request] if request else []
        notes.append(f"{day}: {note}")
    return dg.SensorResult(
        run_requests=requests,
        skip_reason=None if requests else "; ".join(notes),
        cursor=msgspec.json.encode({day: state for day, state in seen.items() if state}).decode(),
    )


class _Look:
    """One tick; all its days share the time for reading."""

    def __init__(self, feed: Feed, line: Line) -> None:
        self._feed = feed
        self._line = line
        self._until = time.monotonic() + TICK_SECONDS

    def at(self, day: str, seen: Seen | None) -> tuple[Seen | None, dg.RunRequest | None, str]:
        """Give what is known of the day now, a run if it needs one, and a word on it."""
        files = self._feed.files(self._line.start(day))
        if not files:
            return None, None, "no file yet"
        listing = _listing(files)
        if seen is None or seen.listing != listing:
            return Seen(listing), None, "files have come or changed"
        if seen.done:
            return seen, None, "nothing new"
        self._read(files, seen)
        if seen.read < len(files):
            return seen, None, f"{seen.read} of {len(files)} files read"
        if self._line.is_running(day):
            return seen, None, "a run is under way"
        seen.done = True
        recorded = self._line.recorded(day)
        if recorded.version == seen.version:
            return seen, None, "the same content"
        # With the event that it replaces and the listing: a content that comes back is run again.
        run_key = f"{day} {seen.version} {recorded.event} {seen.listing}"
        return seen, dg.RunRequest(run_key=run_key, partition_key=day), "new content"

    def _read(self, files: Sequence[File], seen: Seen) -> None:
        """Read on while there is time; at least one file."""
        content = Content(seen.version)
        for file in files[seen.read :]:
            content.add(file)
            seen.read, seen.version = seen.read + 1, content.version
            if time.monotonic() > self._until:
                return


def _listing(files: Sequence[File]) -> str:
    digest = hashlib.sha256()
    for file in files:
        digest.update(f"{file.path}\0{file.bytes}\0{file.modified}\0".encode(errors="surrogateescape"))
    return digest.hexdigest()


def _decoded(cursor: str | None) -> dict[str, Seen]:
    """Read the cursor; one of another version counts as none."""
    try:
        return msgspec.json.decode(cursor or "{}", type=dict[str, Seen])
    except msgspec.DecodeError:
        return {}
