"""Answers that are decoded into a shape are judged as those that are decoded whole."""

from types import SimpleNamespace

import pytest
from yarl import URL

from resources.errors import Refused, Throttled, Unauthorized, Unavailable
from resources.graphql.raw import LOOKUPS, opened
from resources.graphql.sending.gate import SHAPE, graphql_answer, raise_for_codes

RESPONSE = SimpleNamespace(
    method="POST", url=URL("http://host/graphql"), status=200, content_type="text/html"
)


@pytest.fixture(params=[None, LOOKUPS], ids=["whole", "shaped"])
def answer(request: pytest.FixtureRequest):
    def decode(body: bytes, status: int = 200):
        token = SHAPE.set(request.param)
        try:
            found = graphql_answer(SimpleNamespace(**vars(RESPONSE) | {"status": status}), body)
            raise_for_codes(found)
        finally:
            SHAPE.reset(token)
        return found

    return decode


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"null", b'{"date":1}', b"<html>", b'{"data":{"k0":{"a":"\xff"}}}']
)
def test_what_is_no_graphql_answer_is_unavailable(answer, body: bytes) -> None:
    with pytest.raises(Unavailable):
        answer(body)
    with pytest.raises(Refused):
        answer(body, 400)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b' {"data":{"k0":null},"errors":[{"extensions":{"code":"THROTTLED"}}]} ', Throttled),
        (b'{"data":null,"errors":[{"extensions":{"code":"UNAUTHENTICATED"}}]}', Unauthorized),
        (b'{"errors":[{"extensions":{"code":"RATE_LIMITED"}}],"extensions":{"cost":1.5}}', Throttled),
    ],
)
def test_codes_count_where_nothing_is_answered(answer, body: bytes, expected: type[Exception]) -> None:
    with pytest.raises(expected):
        answer(body)


def test_what_is_answered_beside_an_error_is_kept(answer) -> None:
    found = answer(
        b'{"data":{"k0":null,"k1":{"a":"\xc3\xa9"}},"errors":[{"extensions":{"code":"THROTTLED"}}]}'
    )
    assert opened(found["data"]["k0"]) is None
    assert dict(opened(found["data"]["k1"])) == {"a": "é"}


@pytest.mark.parametrize("data", [b"null", b"[]", b'"text"', b"3"])
def test_data_of_another_form_is_given_as_it_is(answer, data: bytes) -> None:
    found = answer(b'{"data":' + data + b',"errors":[{"message":"no"}]}')
    assert not isinstance(found["data"], dict)
    assert found["errors"] == [{"message": "no"}]
