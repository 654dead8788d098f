"""People of the sandbox: the same for the same seed, with all that real data has."""

import random
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

START = datetime(2024, 1, 1, tzinfo=UTC)
ZONES = [("Z", 0), ("+00:00", 0), ("+05:30", 330), ("-03:00", -180)]
WORDS = [
    "Anna", "Zoë", "Łukasz", "山田太郎", "مريم", "e\u0301clair", "👩‍👩‍👧 family", 'with "quotes"',
    "back\\slash", "two\nlines", "tab\there", "O'Neil", "1234567890123456789", "true", "null", " spaces ",
    "ß", "",
]  # fmt: skip
ATTRIBUTES = ["city", "segment", "visits_30d", "age_band", "churn_score", "last_campaign"]
PERMISSIONS = ["CS-OM", "CS-NBA", "CS-EMAIL", "CS-SMS"]
PURPOSES = ["analytics", "marketing", "personalisation"]
OTHER_IDENTIFIERS = [("customer-id", "GUID"), ("gaid", "DEVICEID"), ("idfa", "DEVICEID"), ("gclid", "COOKIE")]
NOBODY_SHARE = 0.1  # umids of the feed that belong to nobody

Person = dict[str, Any]


def make_people(number: int, seed: int) -> list[Person]:
    """Make people as the API answers with all fields."""
    return [_person(random.Random(f"{seed}:{index}")) for index in range(number)]


def umids(person: Person) -> list[str]:
    """Give the umids of a person."""
    return [i["value"] for i in person["identifiers"] or [] if i and i["name"] == "umid"]


def make_nobodies(people: int, seed: int) -> list[str]:
    """Make umids that belong to nobody."""
    source = random.Random(f"{seed}:nobody")
    return [_uuid(source) for _ in range(max(2, int(people * NOBODY_SHARE)))]


def _person(source: random.Random) -> Person:
    return {
        "profileId": _uuid(source),
        "owner": _maybe(source, "teavaro"),
        "category": _maybe(source, source.choice(["customer", "prospect", *WORDS])),
        "source": _maybe(source, source.choice(["web", "app", "onboarding"])),
        "testProfile": _maybe(source, source.random() < 0.05),
        "createdDate": _instant(source),
        "changeDate": instant(source),
        "lastSeen": _instant(source),
        "firstSeenByMasterFeed": "9999-12-31T23:59:59Z" if source.random() < 0.02 else _instant(source),
        "identifiers": _identifiers(source),
        "umdids": _list(source, lambda: _named(source, "umdid", "UMID"), 2),
        "attributes": _list(source, lambda: _attribute(source), 6),
        "permissions": _list(source, lambda: _permission(source), 4),
        "notifications": _list(source, lambda: _notification(source), 3),
        "usedApps": _list(source, lambda: _app(source), 3),
        "cookieConsents": _list(source, lambda: _consent(source), 2),
    }


def _identifiers(source: random.Random) -> list[Any]:
    own = [_named(source, "umid", "UMID") for _ in range(source.choice([1, 1, 1, 2, 3]))]
    others = [_named(source, *kind) for kind in OTHER_IDENTIFIERS if source.random() < 0.4]
    return own + others + ([None] if source.random() < 0.03 else [])


def _named(source: random.Random, name: str, type_: str) -> Person:
    return {"name": name, "type": type_, "value": _uuid(source), "lastSeen": _instant(source)}


def _attribute(source: random.Random) -> Person:
    value = source.choice([*WORDS, str(source.randrange(1000))])
    return {"name": source.choice(ATTRIBUTES), "value": _maybe(source, value), "changeDate": _instant(source)}


def _permission(source: random.Random) -> Person:
    value = source.choice(["GRANTED", "DENIED", "UNKNOWN"])
    return {
        "name": source.choice(PERMISSIONS),
        "value": _maybe(source, value),
        "changeDate": _instant(source),
    }


def _notification(source: random.Random) -> Person:
    version = f"{source.randrange(1, 4)}.{source.randrange(10)}"
    return {"name": "privacy-notice", "version": version, "disclosedDate": _instant(source)}


def _app(source: random.Random) -> Person:
    return {
        "name": source.choice(["shop", *WORDS]),
        "version": f"v{source.randrange(9)}",
        "lastSeen": _instant(source),
    }


def _consent(source: random.Random) -> Person:
    purposes = _list(source, lambda: {"name": source.choice(PURPOSES), "value": _maybe(source, True)}, 3)
    return {"domain": "shop.example", "changeDate": _instant(source), "purposes": purposes}


def _list(source: random.Random, make: Any, longest: int) -> list[Any] | None:
    """Make a list: sometimes null, sometimes empty, rarely with a null in it."""
    chance = source.random()
    if chance < 0.05:
        return None
    found = [make() for _ in range(source.randrange(longest + 1))]
    return [*found, None] if chance > 0.98 else found


def _instant(source: random.Random) -> str | None:
    return _maybe(source, instant(source))


def instant(source: random.Random) -> str:
    """Make an instant with 0 to 9 fractional digits, in UTC or with an offset."""
    suffix, minutes = source.choice(ZONES)
    moment = START + timedelta(seconds=source.randrange(80_000_000), minutes=minutes)
    digits = source.randrange(10)
    fraction = f".{source.randrange(10**digits):0{digits}d}" if digits else ""
    return f"{moment:%Y-%m-%dT%H:%M:%S}{fraction}{suffix}"


def _maybe(source: random.Random, value: Any) -> Any:
    return None if source.random() < 0.08 else value


def _uuid(source: random.Random) -> str:
    return str(uuid.UUID(int=source.getrandbits(128), version=4))
