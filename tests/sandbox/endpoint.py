"""POST /graphql: a token, a document, and an answer that may be wrong on purpose."""

import asyncio
import json
import time
from typing import Any

from aiohttp import web
from graphql import DocumentNode, FieldNode

from tests.sandbox import answers
from tests.sandbox.auth import Tokens
from tests.sandbox.faults import Faults, Turns
from tests.sandbox.graph import FOREIGN_ALIASES, Graph, asked_keys, fields_in, root_fields
from tests.sandbox.record import Request

FOREVER_SECONDS = 3600.0
LOOK_SECONDS = 0.005
IDE = "<!doctype html><title>GraphQL Playground</title><p>POST a query to this address.</p>"


class Endpoint:
    """Answers GraphQL requests."""

    def __init__(self, graph: Graph, tokens: Tokens, faults: Faults, seed: int) -> None:
        self._graph = graph
        self._tokens = tokens
        self._faults = faults
        self._turns = Turns(seed)
        self._next_free = 0.0
        self._gathering = 0
        self.stopped = asyncio.Event()

    async def answer(self, http: web.Request, record: Request) -> web.StreamResponse:
        """Answer one POST."""
        early = await self._before(http, record)
        if early is not None:
            return early
        payload = await _payload(http)
        if payload is None:
            return _json({"errors": [{"message": "the body is no GraphQL request"}]}, 400)
        variables = payload.get("variables") or {}
        record.query = payload["query"]
        document, errors = self._graph.checked(record.query)
        if document is None or errors:
            return _json({"errors": self._graph.formatted(errors)}, 400)
        fields = root_fields(document)
        record.aliases = len(fields)
        asked = {_alias(f): asked_keys(f, variables) for f in fields}
        record.keys = [key for keys in asked.values() for key in keys]
        refused = await self._refused(fields, record)
        if refused is not None:
            return refused
        return await self._executed(http, record, document, variables, asked)

    async def _before(self, http: web.Request, record: Request) -> web.StreamResponse | None:
        """Do what comes before the document is looked at."""
        faults = self._faults
        if faults.latency:
            await answers.waited(self.stopped, faults.latency)
        if faults.gather:
            await self._gathered()
        if faults.stall:
            await answers.waited(self.stopped, FOREVER_SECONDS)
        if self._is_out():
            return answers.html(503, faults.telling)
        if faults.redirect_to:
            return web.Response(status=307, headers={"Location": faults.redirect_to})
        if faults.status:
            return answers.html(faults.status, faults.telling)
        record.token = self._tokens.accepted(http.headers.get("Authorization"))
        if record.token is None or faults.reject_fresh_tokens:
            return (
                answers.html(401, self._faults.telling)
                if self._graph.variant == "foreign"
                else _json({"error": "unauthorized"}, 401)
            )
        return self._over_limit(record)

    def _is_out(self) -> bool:
        """Count an outage down: first the requests before it, then its own."""
        faults = self._faults
        if faults.outage and faults.outage_after:
            faults.outage_after -= 1
            return False
        faults.outage, out = max(0, faults.outage - 1), bool(faults.outage)
        return out

    async def _gathered(self) -> None:
        """Wait until so many requests wait here; then all of them go on, and later ones do not wait."""
        self._gathering += 1
        try:
            while self._gathering < self._faults.gather:
                if await answers.waited(self.stopped, LOOK_SECONDS):
                    return
            self._faults.gather = 0
        finally:
            self._gathering -= 1

    def _over_limit(self, record: Request) -> web.Response | None:
        rate = self._faults.requests_per_second
        if rate is None:
            return None
        now = time.monotonic()
        wait = min(self._next_free - now, 1 / rate)
        if wait > 0:
            self._next_free = now + wait
            return answers.too_many(record, wait)
        self._next_free = max(self._next_free, now - 1 / rate) + 1 / rate
        return None

    async def _refused(self, fields: list[FieldNode], record: Request) -> web.StreamResponse | None:
        faults = self._faults
        limit = faults.max_aliases or (FOREIGN_ALIASES if self._graph.variant == "foreign" else None)
        if limit and len(fields) > limit:
            return await self._too_many_aliases(limit, len(fields))
        complexity = sum(1 + fields_in(f.selection_set) for f in fields)
        if faults.max_complexity and complexity > faults.max_complexity:
            message = f"maximum query complexity exceeded {complexity} > {faults.max_complexity}"
            error = {"message": message, "extensions": {"classification": "ExecutionAborted"}}
            return _json({"data": None, "errors": [error]})
        poisoned = set(record.keys) & set(faults.poison)
        if poisoned and faults.poison_after:
            faults.poison_after -= 1
            return None
        return answers.html(500, self._faults.telling) if poisoned else None

    async def _too_many_aliases(self, limit: int, number: int) -> web.StreamResponse:
        message = f"Syntax Error: Aliases limit of {limit} exceeded, found {number}."
        if self._faults.alias_refusal == "timeout":
            await answers.waited(self.stopped, FOREVER_SECONDS)
        if self._faults.alias_refusal == "413-html":
            return answers.html(413, self._faults.telling)
        if self._faults.alias_refusal == "200-message":
            return _json({"errors": [{"message": message}]})
        error = {"message": message, "extensions": {"code": "GRAPHQL_VALIDATION_FAILED"}}
        return _json({"errors": [error]}, 400)

    async def _executed(
        self,
        http: web.Request,
        record: Request,
        document: DocumentNode,
        variables: dict[str, Any],
        asked: dict[str, list[str]],
    ) -> web.StreamResponse:
        result = self._graph.execute(document, variables)
        if self._faults.field_overrides:
            result["data"] = _overridden(result["data"], self._faults.field_overrides)
        failed = self._fail_aliases(result, asked)
        body = json.dumps(result, ensure_ascii=False).encode()
        if self._faults.trickle:
            return await answers.trickle(http, body, self.stopped)
        kind = self._turns.kind(self._faults.every, self._faults.share, self._faults.kinds)
        if kind:
            return await answers.fault(kind, body, http, record, self._faults.retry_after)
        record.answered = [key for alias, keys in asked.items() if alias not in failed for key in keys]
        return web.Response(body=body, content_type="application/json")

    def _fail_aliases(self, result: dict[str, Any], asked: dict[str, list[str]]) -> set[str]:
        """Put errors on the aliases of some keys; give these aliases."""
        if result["data"] is None:
            return set(asked)
        failed = set()
        for alias, keys in asked.items():
            found = result["data"].get(alias) or {}
            if any(_due(self._faults.alias_errors, key) for key in keys):
                path: list[str] = [alias]
                result["data"][alias] = None
            elif "attributes" in found and any(_due(self._faults.nested_errors, key) for key in keys):
                path = [alias, "attributes"]
                found["attributes"] = None
            else:
                continue
            failed.add(alias)
            code = {"code": self._faults.alias_error_code}
            error = {"message": self._faults.alias_error_message, "path": path, "extensions": code}
            if self._faults.pathless:
                del error["path"]
            result.setdefault("errors", []).append(error)
        return failed


def _due(times: dict[str, int], key: str) -> bool:
    """Count an error down; -1 stays for ever."""
    left = times.get(key, 0)
    if left > 0:
        times[key] = left - 1
    return left != 0


def _overridden(value: Any, overrides: dict[str, Any]) -> Any:
    if isinstance(value, list):
        return [_overridden(item, overrides) for item in value]
    if isinstance(value, dict):
        return {k: overrides[k] if k in overrides else _overridden(v, overrides) for k, v in value.items()}
    return value


def _alias(field: FieldNode) -> str:
    return field.alias.value if field.alias else field.name.value


async def _payload(http: web.Request) -> dict[str, Any] | None:
    """Read the body of a request; None where it is no object with a query."""
    try:
        found = await http.json()
    except ValueError:
        return None
    return found if isinstance(found, dict) and isinstance(found.get("query"), str) else None


def _json(answer: dict[str, Any], status: int = 200) -> web.Response:
    return web.json_response(answer, status=status)


async def ide(_: web.Request) -> web.Response:
    """Serve what a browser gets."""
    return web.Response(text=IDE, content_type="text/html")
