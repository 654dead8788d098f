"""The feed: event extracts, one file a day, as the vendor describes them."""

import csv
import gzip
import io
import json
import random
import uuid
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

SHARES_A_DAY = (0.2, 0.4)  # of all umids that have events on a day
NO_UMID = 0.02  # events without one: null or missing
FIELDS = ("timestamp", "transaction_id", "umid", "device", "location", "isp", "pipeline_name", "domain", "cv")


def umids_of(day: date, umids: Sequence[str], seed: int) -> list[str]:
    """Give the umids that have events on a day, sorted."""
    source = random.Random(f"{seed}:{day}")
    return sorted(source.sample(umids, max(1, int(len(umids) * source.uniform(*SHARES_A_DAY)))))


def events_of(day: date, umids: Sequence[str], seed: int) -> Iterator[dict[str, Any]]:
    """Make a day's events in the order of time: several a umid, a few without one."""
    source = random.Random(f"{seed}:{day}:events")
    people: list[str | None] = [
        u for umid in umids_of(day, umids, seed) for u in [umid] * source.randrange(1, 4)
    ]
    people += [None] * max(1, int(len(people) * NO_UMID))
    source.shuffle(people)
    start = datetime(day.year, day.month, day.day, tzinfo=UTC)
    step = timedelta(days=1) / (len(people) + 1)
    for index, umid in enumerate(people):
        event = _event(source, start + step * (index + 1), umid)
        if umid is None and index % 2:
            del event["umid"]
        yield event


def _event(source: random.Random, moment: datetime, umid: str | None) -> dict[str, Any]:
    return {
        "timestamp": f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z",
        "transaction_id": str(uuid.UUID(int=source.getrandbits(128), version=4)),
        "umid": umid,
        "device": source.choice(["phone", "tablet", "desktop"]),
        "location": source.choice(["Berlin", "Łódź", "São Paulo"]),
        "isp": source.choice(["north", "south"]),
        "pipeline_name": "web",
        "domain": "shop.example",
        "cv": {"page": source.choice(["home", "basket", 'say "hi"'])},
    }


def write_day(folder: Path, day: date, umids: Sequence[str], seed: int, suffix: str) -> Path:
    """Write one day's file aside and move it into place."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"events-{day}{suffix}"
    events = events_of(day, umids, seed)
    text = (
        _csv(events)
        if ".csv" in suffix
        else "".join(json.dumps(e, ensure_ascii=False) + "\n" for e in events)
    )
    data = text.encode()
    aside = path.with_name(f".{path.name}.part")
    aside.write_bytes(gzip.compress(data, mtime=0) if suffix.endswith(".gz") else data)
    aside.replace(path)
    return path


def _csv(events: Iterator[dict[str, Any]]) -> str:
    target = io.StringIO()
    writer = csv.DictWriter(target, FIELDS)
    writer.writeheader()
    for event in events:
        writer.writerow({**event, "cv": json.dumps(event["cv"])})
    return target.getvalue()
