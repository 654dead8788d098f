"""The same people as another account has them: other fields inside the lists."""

from typing import Any

from tests.sandbox.people import Person


def foreign(person: Person) -> Person:
    """Give a person in the terms of `foreign.graphql`."""
    return {
        **person,
        "identifiers": _each(person["identifiers"], _identifier),
        "attributes": _each(person["attributes"], _attribute),
        "permissions": _each(person["permissions"], _permission),
        "notifications": _each(person["notifications"], _notice),
        "usedApps": _each(person["usedApps"], _app),
        "cookieConsents": _each(person["cookieConsents"], _consent),
    }


def _each(items: list[Any] | None, change: Any) -> list[Any] | None:
    return None if items is None else [None if item is None else change(item) for item in items]


def _identifier(item: Person) -> Person:
    return {
        "name": item["name"],
        "kind": "UMID" if item["name"] == "umid" else "GUID",
        "id": item["value"],
        "primary": item["name"] == "umid",
    }


def _attribute(item: Person) -> Person:
    value = item["value"]
    return {
        "fieldName": item["name"],
        "fieldValue": value,
        "score": len(value or "") / 8,
        "updated": item["changeDate"],
    }


def _permission(item: Person) -> Person:
    return {
        "permission": item["name"],
        "granted": item["value"] == "GRANTED",
        "timestamp": item["changeDate"],
    }


def _notice(item: Person) -> Person:
    return {"title": item["name"], "version": int(item["version"][0])}


def _app(item: Person) -> Person:
    return {"zzBundle": item["name"], "zzInstalls": len(item["version"])}


def _consent(item: Person) -> Person:
    return {"domain": item["domain"], "details": {"purpose": "analytics", "given": bool(item["purposes"])}}
