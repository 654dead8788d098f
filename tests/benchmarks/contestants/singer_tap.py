"""A Singer tap: the SDK's GraphQLStream alone, its records to standard output, which is no file yet.

Tuned: the SDK's msgspec writer, no conforming of types that the schema already has, and one decoding of each
answer for records and cursor, where the SDK's JSONPath paginator would decode it again.
"""

import sys
from collections.abc import Iterable
from typing import Any

from requests import Response
from singer_sdk import Stream, Tap
from singer_sdk import typing as th
from singer_sdk.contrib.msgspec import MsgSpecWriter
from singer_sdk.helpers._typing import TypeConformanceLevel
from singer_sdk.pagination import BaseAPIPaginator
from singer_sdk.streams import GraphQLStream

from tests.benchmarks.documents import BY_CURSOR, PAGE_ROWS


def _list(*, dates: tuple[str, ...], **fields: type) -> th.ArrayType:
    instants = [th.Property(name, th.DateTimeType) for name in dates]
    return th.ArrayType(th.ObjectType(*(th.Property(n, t) for n, t in fields.items()), *instants))


TEXT, INSTANT, BOOLEAN = th.StringType, th.DateTimeType, th.BooleanType
PROPERTIES = {
    **dict.fromkeys(("profileId", "owner", "category", "source"), TEXT),
    "testProfile": BOOLEAN,
    **dict.fromkeys(("createdDate", "changeDate", "lastSeen", "firstSeenByMasterFeed"), INSTANT),
    "identifiers": _list(name=TEXT, type=TEXT, value=TEXT, dates=("lastSeen",)),
    "attributes": _list(name=TEXT, value=TEXT, dates=("changeDate",)),
    "permissions": _list(name=TEXT, value=TEXT, dates=("changeDate",)),
    "notifications": _list(name=TEXT, version=TEXT, dates=("disclosedDate",)),
    "usedApps": _list(name=TEXT, version=TEXT, dates=("lastSeen",)),
    "cookieConsents": _list(
        domain=TEXT, purposes=_list(name=TEXT, value=BOOLEAN, dates=()), dates=("changeDate",)
    ),
}


class Paginator(BaseAPIPaginator[str | None]):
    """Goes along the cursor of the page that the stream has decoded."""

    def __init__(self, stream: "Profiles") -> None:
        super().__init__(None)
        self._stream = stream

    def has_more(self, response: Response) -> bool:
        return bool(self._stream.page_info["hasNextPage"])

    def get_next(self, response: Response) -> str | None:
        return str(self._stream.page_info["endCursor"])


class Profiles(GraphQLStream[str]):
    """The list along a cursor."""

    name = "profiles"
    query = BY_CURSOR.read_text()
    schema = th.PropertiesList(*(th.Property(name, type_) for name, type_ in PROPERTIES.items())).to_dict()
    TYPE_CONFORMANCE_LEVEL = TypeConformanceLevel.NONE

    @property
    def url_base(self) -> str:
        return str(self.config["url"])

    def get_new_paginator(self) -> Paginator:
        return Paginator(self)

    def get_url_params(self, context: object, next_page_token: str | None) -> dict[str, Any]:
        return {"first": PAGE_ROWS, "after": next_page_token}

    def parse_response(self, response: Response) -> Iterable[dict[str, Any]]:
        profiles = response.json()["data"]["profiles"]
        self.page_info = profiles["pageInfo"]
        yield from profiles["nodes"]


class ProfilesTap(Tap):
    """The tap of the one stream."""

    name = "tap-profiles"
    message_writer_class = MsgSpecWriter
    config_jsonschema = th.PropertiesList(th.Property("url", TEXT, required=True)).to_dict()

    def discover_streams(self) -> list[Stream]:
        return [Profiles(self)]


if __name__ == "__main__":
    ProfilesTap(config={"url": sys.argv[1]}).sync_all()
