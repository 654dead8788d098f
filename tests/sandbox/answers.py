"""Answers that are wrong on purpose."""

import asyncio
import json
import time
from email.utils import formatdate

from aiohttp import web

from tests.sandbox.record import Request

HTML = "<!doctype html><title>Gateway</title><p>Something went wrong.</p>"
STATUSES = {"500": 500, "502-html": 502, "503": 503}


async def fault(
    kind: str, body: bytes, http: web.Request, record: Request, retry_after: float
) -> web.StreamResponse:
    """Answer with a fault of this kind in place of `body`."""
    record.fault = kind
    if kind in ("429", "429-date", "503-later"):
        return too_many(record, retry_after, as_date=kind == "429-date", status=int(kind[:3]))
    if kind in STATUSES:
        return html(STATUSES[kind])
    if kind in ("drop", "truncated"):
        return broken(http, body if kind == "truncated" else None)
    if kind == "data-and-error":
        return web.Response(text=beside(body), content_type="application/json")
    texts = {
        "truncated-json": (body[: len(body) // 2].decode(errors="ignore"), "application/json", 200),
        "html": (HTML, "text/html", 200),
        "empty": ("", "application/json", 200),
        "401": (HTML, "text/html", 401),
        "graphql-error": (error_text("INTERNAL_SERVER_ERROR"), "application/json", 200),
        "no-fields": ('{"data": {}}', "application/json", 200),
        "throttled-error": (error_text("THROTTLED"), "application/json", 200),
    }
    text, content_type, status = texts[kind]
    return web.Response(text=text, content_type=content_type, status=status)


def error_text(code: str) -> str:
    """Write an answer that refuses the whole document with a code."""
    return f'{{"data":null,"errors":[{{"message":"it failed","extensions":{{"code":"{code}"}}}}]}}'


def beside(body: bytes) -> str:
    """Put an error beside the data; the rows of lists are gone."""
    answer = json.loads(body)
    for found in (answer.get("data") or {}).values():
        if isinstance(found, dict) and "nodes" in found:
            found["nodes"] = []
    return json.dumps(answer | {"errors": [{"message": "it failed", "path": list(answer["data"] or {})[:1]}]})


def html(status: int, telling: str = "") -> web.Response:
    """Answer with a page, as gateways do."""
    return web.Response(text=HTML + telling, content_type="text/html", status=status, reason=telling or None)


def too_many(record: Request, seconds: float, *, as_date: bool = False, status: int = 429) -> web.Response:
    """Answer 429, or 503, with Retry-After, in seconds or as a date (whole seconds, rounded up)."""
    record.retry_after = seconds
    value = f"{seconds:g}"
    headers = {"Retry-After": value}
    if as_date:
        now = time.time()
        headers = {
            "Retry-After": formatdate(int(now + seconds + 1), usegmt=True),
            "Date": formatdate(now, usegmt=True),
        }
    return web.Response(status=status, headers=headers)


def broken(http: web.Request, body: bytes | None) -> web.Response:
    """Close the connection: without an answer, or in the middle of one."""
    transport = http.transport
    if transport is not None:
        if body is not None:
            length = f"Content-Length: {len(body) + 100}"
            head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n{length}\r\n\r\n"
            transport.write(head.encode() + body)
        transport.close()
    return web.Response()


async def trickle(http: web.Request, body: bytes, stopped: asyncio.Event) -> web.StreamResponse:
    """Send a byte a second until the sandbox stops or the client goes away."""
    response = web.StreamResponse(
        headers={"Content-Length": str(len(body)), "Content-Type": "application/json"}
    )
    await response.prepare(http)
    for byte in body:
        await response.write(bytes([byte]))
        if await waited(stopped, 1.0):
            break
    return response


async def waited(stopped: asyncio.Event, seconds: float) -> bool:
    """Wait so long, or until the sandbox stops; say whether it does."""
    try:
        await asyncio.wait_for(stopped.wait(), seconds)
    except TimeoutError:
        return False
    return True
