"""Profiles as text, each with ids and instants of its own, made by splicing a number into a template.

Two million of them would be 3.5 GB: only some thousand templates are held, cut where the number goes.
"""

import json
import random
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta

TEMPLATES = 4096
SPLICED = 1_000_000  # the row's number modulo this is spliced in, the rest is in the template
DIGITS = 6
MARK = "@@@@@@"  # where it goes: in all ids, and as the microseconds of some instants
ID_DIGITS = 9  # an id ends with the number of its row
START = datetime(2024, 1, 1)
END_OF_TIME = "9999-12-31T23:59:59Z"  # the usual sentinel
WORDS = [
    "Anna",
    "Zoë",
    "Łukasz",
    "山田太郎",
    "New York",
    "O'Neil",
    'with "quotes"',
    "true",
    "1234567890",
    "ß",
]
ATTRIBUTES = [
    "city",
    "segment",
    "visits_30d",
    "age_band",
    "churn_score",
    "last_campaign",
    "language",
    "device",
]
PERMISSIONS = ["CS-OM", "CS-NBA", "CS-EMAIL", "CS-SMS", "CS-ADS", "CS-PUSH"]
PURPOSES = ["analytics", "marketing", "personalisation", "profiling"]
OTHERS = [("customer-id", "GUID"), ("gaid", "DEVICEID"), ("idfa", "DEVICEID"), ("gclid", "COOKIE")]

Value = dict[str, object]


class Rows:
    """So many profiles; the same for the same seed."""

    def __init__(self, number: int, seed: int = 1) -> None:
        self.number = number
        texts = [_template(random.Random(f"{seed}:{index}")) for index in range(min(number, TEMPLATES))]
        self._umids = [json.loads(text)["identifiers"][0]["value"][: -len(MARK) - 3] for text in texts]
        self._low = [f"{low:0{DIGITS}d}".encode() for low in range(min(number, SPLICED))]
        self._cut = [
            [text.replace(f"000{MARK}", f"{high:03d}{MARK}").encode().split(MARK.encode()) for text in texts]
            for high in range(-(-number // SPLICED))
        ]

    def text(self, index: int) -> bytes:
        """Give a profile as JSON."""
        high, low = divmod(index, SPLICED)
        return self._low[low].join(self._cut[high][index % TEMPLATES])

    def joined(self, start: int, stop: int) -> bytes:
        """Give profiles as JSON, with commas between them."""
        low, cut = self._low, self._cut
        return b",".join(
            [
                low[i % SPLICED].join(cut[i // SPLICED][i % TEMPLATES])
                for i in range(start, min(stop, self.number))
            ]
        )

    def umid(self, index: int) -> str:
        """Give the first umid of a profile: the one that it is looked up by."""
        return f"{self._umids[index % TEMPLATES]}{index:0{ID_DIGITS}d}"

    def index(self, umid: str) -> int | str:
        """Find the row of a umid; give the umid itself where it is nobody's."""
        index = int(umid[-ID_DIGITS:]) if umid[-ID_DIGITS:].isdecimal() else self.number
        return index if index < self.number and umid == self.umid(index) else umid


def _template(source: random.Random) -> str:
    profile = {
        "profileId": _id(source),
        "owner": "teavaro",
        "category": _maybe(source, source.choice(["customer", "prospect"])),
        "source": source.choice(["web", "app", "onboarding"]),
        "testProfile": _maybe(source, source.random() < 0.05),
        "createdDate": _instant(source),
        "changeDate": _instant(source, f".{MARK}"),
        "lastSeen": _maybe(source, _instant(source, f".{MARK}")),
        "firstSeenByMasterFeed": END_OF_TIME if source.random() < 0.02 else _instant(source),
        "identifiers": [
            _identifier(source, "umid", "UMID"),
            *(_identifier(source, *source.choice(OTHERS)) for _ in range(source.randrange(5))),
        ],
        "attributes": _list(source, 7, lambda: _entry(source, ATTRIBUTES, _value(source))),
        "permissions": _list(
            source, 6, lambda: _entry(source, PERMISSIONS, source.choice(["GRANTED", "DENIED"]))
        ),
        "notifications": _list(source, 3, lambda: _versioned(source, "privacy-notice", "disclosedDate")),
        "usedApps": _list(source, 3, lambda: _versioned(source, "shop", "lastSeen")),
        "cookieConsents": _list(source, 4, lambda: _consent(source)),
    }
    return json.dumps(profile, ensure_ascii=False, separators=(",", ":"))


def _identifier(source: random.Random, name: str, type_: str) -> Value:
    return {"name": name, "type": type_, "value": _id(source), "lastSeen": _instant(source)}


def _entry(source: random.Random, names: list[str], value: str) -> Value:
    return {"name": source.choice(names), "value": _maybe(source, value), "changeDate": _instant(source)}


def _value(source: random.Random) -> str:
    return source.choice([*WORDS, *(str(source.randrange(1000)) for _ in range(20))])


def _versioned(source: random.Random, name: str, date: str) -> Value:
    return {"name": name, "version": f"{source.randrange(4)}.{source.randrange(9)}", date: _instant(source)}


def _consent(source: random.Random) -> Value:
    purposes = _list(source, 4, lambda: {"name": source.choice(PURPOSES), "value": source.random() < 0.5})
    domain = f"shop-{source.randrange(20)}.example"
    return {"domain": domain, "changeDate": _instant(source), "purposes": purposes}


def _list(source: random.Random, longest: int, make: Callable[[], Value]) -> list[Value] | None:
    """Make a list: sometimes null, sometimes empty."""
    return None if source.random() < 0.02 else [make() for _ in range(source.randrange(longest + 1))]


def _instant(source: random.Random, fraction: str = "") -> str:
    """Make an instant in UTC with milliseconds, or with what is given."""
    moment = START + timedelta(seconds=source.randrange(80_000_000))
    return f"{moment:%Y-%m-%dT%H:%M:%S}{fraction or f'.{source.randrange(1000):03d}'}Z"


def _maybe(source: random.Random, value: object) -> object:
    return None if source.random() < 0.05 else value


def _id(source: random.Random) -> str:
    text = str(uuid.UUID(int=source.getrandbits(128), version=4))
    return f"{text[:-ID_DIGITS]}000{MARK}"
