"""Any answer at all, at both endpoints: no hang, no error outside the tree, and tables hold what was said."""

import gzip
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import closing
from decimal import Decimal
from threading import Thread
from typing import Any

import pyarrow as pa
import pytest
from graphql import build_schema
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from resources.errors import ExtractionError
from resources.graphql.query import Query
from resources.graphql_resource import ApiResource, GraphQLResource
from resources.targetdata import TargetDataResource
from tests.chaos.figures import show
from tests.chaos.raw_server import RawAnswer, RawServer
from tests.chaos.test_arbitrary_instants import LIKELY, microseconds

SHORT, LONG = 40, 1_000
HANG_SECONDS = 30.0
SCHEMA = build_schema("""
scalar Instant
type Inner { x: String }
type Person { id: ID!, n: Int, ok: Boolean, at: Instant, tags: [String], inner: [Inner] }
type PageInfo { hasNextPage: Boolean!, endCursor: String }
type People { pageInfo: PageInfo!, nodes: [Person] }
type Query { person(k: String!): Person, people(first: Int, after: String): People }
""")
FIELDS = "id n ok at tags inner { x }"
TEXTS = {
    "keyed": f"query q($k: String!) {{ person(k: $k) {{ {FIELDS} }} }}",
    "list": "query q($first: Int, $after: String) { people(first: $first, after: $after) "
    f"{{ pageInfo {{ hasNextPage endCursor }} nodes {{ {FIELDS} }} }} }}",
}
QUERIES = {
    kind: Query.parse(text, schema=SCHEMA, path="q", name="q", identity=None) for kind, text in TEXTS.items()
}
LIMITS = {
    "connect_timeout_seconds": 2.0,
    "read_timeout_seconds": 2.0,
    "request_timeout_seconds": 4.0,
    "max_attempts": 2,
    "max_batch": 1,
    "max_response_bytes": 100_000,
}
INTEGER = re.compile(r"[+-]?[0-9]+")

ODD = st.sampled_from(
    ["", "\ud800", "\udfff\ud800", "\0", "\u202e", "\U0010ffff", "NaN", "null", "a" * 5000, "0" * 400]
)
TEXT = st.text(st.characters(codec=None), max_size=8) | ODD
NUMBER = (
    st.integers()
    | st.integers(-(10**80), 10**80)
    | st.sampled_from([2**31, 2**63, 2**64, -(2**63) - 1, 10**400, 0, -1])
    | st.floats()
    | st.sampled_from([1e308, 1.5, 3.0, float("nan"), float("inf")])
)
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | NUMBER | TEXT,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["data", "errors", "k0", "id", "x", "message"]) | TEXT, inner, max_size=3
        )
    ),
    max_leaves=8,
)


def mostly(good: st.SearchStrategy[Any], other: st.SearchStrategy[Any] = JSON) -> st.SearchStrategy[Any]:
    """Choose what fits nine times of ten: so much must be right for an answer to be taken."""
    return st.integers(0, 9).flatmap(lambda turn: other if turn == 0 else good)


def row() -> st.SearchStrategy[Any]:
    inner = st.fixed_dictionaries({"x": mostly(st.none() | TEXT)})
    return st.fixed_dictionaries(
        {
            "id": mostly(TEXT | st.integers()),
            "n": mostly(st.none() | st.integers(-(2**31), 2**31 - 1)),
            "ok": mostly(st.none() | st.booleans()),
            "at": mostly(st.none() | LIKELY | st.just("2026-11-22T10:00:00.123456789Z")),
            "tags": mostly(st.none() | st.lists(st.none() | TEXT, max_size=2)),
            "inner": mostly(st.none() | st.lists(mostly(st.none() | inner), max_size=2)),
        }
    )


ERRORS = st.lists(
    st.fixed_dictionaries(
        {"message": mostly(TEXT)},
        optional={
            "path": mostly(st.sampled_from([["k0"], ["k0", "n"], ["people"], []])),
            "extensions": mostly(st.fixed_dictionaries({"code": mostly(TEXT)})),
        },
    ),
    max_size=2,
)
PEOPLE = st.fixed_dictionaries(
    {
        "pageInfo": mostly(
            st.fixed_dictionaries(
                {"hasNextPage": mostly(st.just(False) | st.booleans()), "endCursor": mostly(st.none() | TEXT)}
            )
        ),
        "nodes": mostly(st.lists(mostly(row()), max_size=3)),
    }
)
DATA = {
    "keyed": st.fixed_dictionaries({"k0": mostly(st.none() | row() | row())}),
    "list": st.fixed_dictionaries({"people": mostly(PEOPLE)}),
}


def written(value: Any, *, ascii_only: bool) -> bytes:
    return json.dumps(value, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")


def body(fitting: st.SearchStrategy[Any]) -> st.SearchStrategy[bytes]:
    """Write JSON, mostly of a fitting form; nested deeply, with double keys, cut off, or no JSON."""
    made = st.builds(lambda v, a: written(v, ascii_only=a), mostly(fitting), st.booleans() | st.just(True))
    doubled = made.map(lambda text: b'{"data": {"k0": 1}, ' + text[1:])
    deep = st.sampled_from([b"[", b'{"data":', b'{"data":{"k0":[']).flatmap(
        lambda part: st.integers(1, 20_000).map(lambda number: (part * number)[:90_000])
    )
    cut = st.builds(lambda text, at: text[: at % (len(text) + 1)], made, st.integers(0, 500))
    other = st.binary(max_size=60) | deep | cut | doubled | made.map(lambda text: b"\xef\xbb\xbf" + text)
    return mostly(made, other)


HEADERS = {
    "Retry-After": st.sampled_from(
        [
            "0",
            "0.01",
            "-1",
            "1e3",
            "9" * 400,
            "soon",
            "Wed, 21 Oct 2015 07:28:00 GMT",
            "Wed, 99 Foo 2015",
            "٣",
        ]
    ),
    "Date": st.sampled_from(["", "yesterday", "Wed, 21 Oct 2015 07:28:00 GMT", "Wed, 21 Oct 2015 07:28:00"]),
    "Content-Type": st.sampled_from(
        ["", "text/html", "application/json; charset=x-none", ";;;", "a/b/c", "é"]
    ),
    "Content-Encoding": st.sampled_from(["gzip", "deflate", "br", "zstd", "identity", "x-odd", ""]),
    "Transfer-Encoding": st.sampled_from(["chunked", "gzip, chunked", "identity"]),
    "Content-Length": st.sampled_from(["0", "5", "100000", "-1", "1e3", "9" * 40]),
    "Location": st.sampled_from(["/elsewhere", "http://", "http://[::1", "https://example.com/?a=b"]),
    "Set-Cookie": st.sampled_from(["a=b", "=;;", "a=b; Max-Age=x; Expires=never"]),
    "WWW-Authenticate": st.sampled_from(["Bearer", "Digest realm=", '"']),
}
STATUS = mostly(
    st.just(200), st.integers(100, 999) | st.sampled_from([204, 304, 400, 401, 413, 429, 500, 503])
)


@st.composite
def answers(draw: st.DrawFn, fitting: st.SearchStrategy[Any]) -> RawAnswer:
    """Make an answer; a quarter of them is plain, so that what the body holds is looked at."""
    sent = draw(body(fitting))
    if draw(st.integers(0, 3)):
        headers = {"Content-Type": "application/json"}
        if draw(st.integers(0, 3)) == 0:
            sent, headers["Content-Encoding"] = gzip.compress(sent), "gzip"
        return RawAnswer(200, headers, sent)
    headers = draw(st.fixed_dictionaries({}, optional=HEADERS))
    return RawAnswer(draw(STATUS), headers, sent)


def said(answer: RawAnswer) -> Any:
    """Read an answer by other means than the client's."""
    text = answer.body
    if answer.headers.get("Content-Encoding") == "gzip":
        text = gzip.decompress(text)
    if answer.headers.get("Content-Length", "100000") != "100000":
        text = text[: int(answer.headers["Content-Length"])]
    return json.loads(text, parse_float=Decimal)


def text_of(value: Any) -> str | None:
    return None if value is None else value if isinstance(value, str) else str(value)


def number_of(value: Any) -> int | None:
    if value is None:
        return None
    assert not isinstance(value, str) or INTEGER.fullmatch(value)
    assert int(value) == Decimal(value), "no fraction may be lost"
    return int(value)


def expected(person: dict[str, Any]) -> dict[str, Any]:
    """Give a row as a table should hold it."""
    return {
        "id": text_of(person["id"]),
        "n": number_of(person["n"]),
        "ok": person["ok"],
        "at": None if person["at"] is None else microseconds(person["at"]),
        "tags": None if person["tags"] is None else [text_of(tag) for tag in person["tags"]],
        "inner": None
        if person["inner"] is None
        else [i if i is None else {"x": text_of(i["x"])} for i in person["inner"]],
    }


def held(table: pa.Table) -> list[dict[str, Any]]:
    at = table.schema.get_field_index("at")
    table = table.set_column(at, "at", table["at"].cast(pa.int64()))
    return table.select(["id", "n", "ok", "at", "tags", "inner"]).to_pylist()


def check_keyed(api: GraphQLResource, answer: RawAnswer) -> str:
    pages = list(api.pages(QUERIES["keyed"], keys=["a"]))
    (lookup,) = pa.concat_tables([page.tables["q__lookups"] for page in pages]).to_pylist()
    rows = [row for page in pages for row in held(page.tables["q"])]
    if lookup["status"] == "failed":
        assert rows == []
        return "failed key"
    person = said(answer)["data"]["k0"]
    assert not said(answer).get("errors")
    assert rows == ([] if person is None else [expected(person)])
    assert lookup["status"] == ("not_found" if person is None else "found")
    return lookup["status"]


def check_list(api: GraphQLResource, answer: RawAnswer) -> str:
    pages = list(api.pages(QUERIES["list"]))
    people = said(answer)["data"]["people"]
    assert people["pageInfo"]["hasNextPage"] is False, "only the server's word ends a list"
    rows = [row for page in pages for row in held(page.tables["q"])]
    assert rows == [expected(person) for person in people["nodes"]]
    return "a list"


PERSON = (
    b'{"id": 7, "n": "8", "ok": true, "at": "2026-11-22T10:00:00.1234567Z", '
    b'"tags": ["a", null], "inner": [null]}'
)
TAKEN = {  # answers that are good, so that each form has one
    "keyed": b'{"data": {"k0": ' + PERSON + b"}}",
    "list": b'{"data": {"people": {"pageInfo": {"hasNextPage": false, "endCursor": ""}, "nodes": ['
    + PERSON
    + b"]}}}",
}
CHECKS = {"keyed": check_keyed, "list": check_list}


@pytest.fixture(scope="module", autouse=True)
def quick() -> Iterator[None]:
    """Leave out the waiting: an example takes milliseconds."""
    engine = "resources.graphql"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(f"{engine}.sending.retry.BACKOFF", lambda _: 0.0)
        patch.setattr(f"{engine}.sending.retry.THROTTLED_ATTEMPTS", 2)
        patch.setattr(f"{engine}.sending.retry.MAX_PAUSE_SECONDS", 0.02)
        patch.setattr(f"{engine}.sending.throttle.MAX_PAUSE_SECONDS", 0.02)
        patch.setattr(f"{engine}.sending.throttle.FIRST_PAUSE_SECONDS", 0.001)
        patch.setattr(f"{engine}.paging.lookup.PAUSE_SECONDS", 0.0)
        patch.setattr(f"{engine}.paging.source.PAUSE_SECONDS", 0.0)
        yield


@pytest.fixture(scope="module")
def server() -> Iterator[RawServer]:
    with RawServer() as opened:
        yield opened


def outcome(api: ApiResource, work: Callable[[ApiResource], object]) -> str:
    """Do it in time, closing included, and give what it gave, or which of our errors it raised."""
    ended: Future[object] = Future()

    def do() -> None:
        try:
            with closing(api):
                result = work(api)
        except BaseException as error:  # noqa: BLE001  an assertion belongs to the test's own thread
            ended.set_exception(error)
        else:
            ended.set_result(result)

    thread = Thread(target=do, daemon=True)  # nobody waits for one that hangs
    thread.start()
    thread.join(HANG_SECONDS)
    assert not thread.is_alive(), f"no end after {HANG_SECONDS} s"
    try:
        return str(ended.result())
    except ExtractionError as error:
        return type(error).__name__


def run(server: RawServer, kind: str, examples: int) -> None:
    outcomes: Counter[str] = Counter()

    @given(answers(st.fixed_dictionaries({"data": mostly(DATA[kind])}, optional={"errors": mostly(ERRORS)})))
    @settings(max_examples=examples, suppress_health_check=list(HealthCheck))
    @example(RawAnswer(200, {"Content-Type": "application/json"}, TAKEN[kind]))
    def every(answer: RawAnswer) -> None:
        server.answers["/graphql"] = answer
        api = GraphQLResource(url=f"{server.url}/graphql", **LIMITS)
        outcomes[outcome(api, lambda api: CHECKS[kind](api, answer))] += 1

    every()
    show(f"arbitrary answers to a {kind} query", **dict(outcomes.most_common()))
    assert outcomes.keys() & {"found", "a list"}
    assert outcomes["ServerUnavailable"]


TOKEN = st.fixed_dictionaries(
    {
        "access_token": mostly(
            st.sampled_from(["a", "a.b.c", "eyJh.eyJleHAiOjEsImlhdCI6MH0.x", "a b", "é", ""])
        )
    },
    optional={
        "expires_in": JSON | st.sampled_from([3600, 0.001, "60", "NaN", -5, 10**400, True]),
        "refresh_token": JSON,
        "token_type": JSON,
    },
)
GOOD = RawAnswer(200, {"Content-Type": "application/json"}, b'{"data": {"__typename": "Query"}}')


def run_tokens(server: RawServer, examples: int) -> None:
    outcomes: Counter[str] = Counter()

    @given(answers(TOKEN))
    @settings(max_examples=examples, suppress_health_check=list(HealthCheck))
    @example(RawAnswer(200, {}, b'{"access_token": "a"}'))
    @example(RawAnswer(200, {}, b'{"access_token": null}'))
    @example(RawAnswer(200, {}, b"[" * 50_000))
    def every(answer: RawAnswer) -> None:
        server.answers.update({"/graphql": GOOD, "/auth/token": answer})
        resource = TargetDataResource(base_url=server.url, refresh_token="offline", **LIMITS)
        found = outcome(resource, lambda api: api.client.ask("{ __typename }")["data"])
        if "Query" in found:
            token = said(answer)["access_token"]
            assert isinstance(token, str)
            assert token not in ("", "a b", "é")
        outcomes["a token" if "Query" in found else found] += 1

    every()
    show("arbitrary answers to a refresh token", **dict(outcomes.most_common()))
    assert outcomes["a token"]
    assert outcomes["ServerUnavailable"]


@pytest.mark.parametrize("kind", TEXTS)
def test_any_answer_is_a_table_or_an_error_of_the_tree(kind: str, server: RawServer) -> None:
    run(server, kind, SHORT)


def test_any_answer_to_a_refresh_token_is_a_token_or_an_error_of_the_tree(server: RawServer) -> None:
    run_tokens(server, SHORT // 2)


@pytest.mark.chaos
@pytest.mark.parametrize("kind", TEXTS)
def test_any_answer_is_a_table_or_an_error_of_the_tree_at_length(kind: str, server: RawServer) -> None:
    run(server, kind, LONG)


@pytest.mark.chaos
def test_any_answer_to_a_refresh_token_is_a_token_or_an_error_at_length(server: RawServer) -> None:
    run_tokens(server, LONG)
