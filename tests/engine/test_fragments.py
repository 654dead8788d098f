"""Rows of several types: null is only where a fragment says nothing about a row's type."""

from decimal import Decimal
from typing import Any

import pytest
from graphql import build_schema

from resources.graphql.decoding import arrow
from resources.graphql.query import Query

SCHEMA = build_schema(
    """
    interface Node { id: ID! }
    interface Owner { name: String }
    type User implements Node & Owner { id: ID! name: String age: Int boss: User pet: Pet }
    type Shop implements Node & Owner { id: ID! name: String open: Boolean! boss: User pet: Pet }
    type Item implements Node { id: ID! price: Float tags: [[Tag]] }
    type Dog { bark: String } type Cat { meow: String }
    type Red { red: Int } type Blue { blue: Int }
    union Pet = Dog | Cat
    union Tag = Red | Blue
    type Query { node(id: ID!): Node }
    """
)


def table(body: str, *rows: dict[str, Any]) -> list[dict[str, Any]]:
    text = f"query ($key: ID!) {{ node(id: $key) {{ {body} }} }}"
    found = Query.parse(text, schema=SCHEMA, path="q", name="q")
    return arrow.table(rows, found.columns).to_pylist()


def refusal(body: str, *rows: dict[str, Any]) -> str:
    with pytest.raises(arrow.Misfit) as caught:
        table(body, *rows)
    return f"{caught.value.row} {caught.value.path}: {caught.value.reason}"


OWNERS = "__typename id ... on Owner { name ... on User { age } } ... on Item { price }"


def test_a_row_has_null_for_the_fields_of_other_types() -> None:
    user = {"__typename": "User", "id": "1", "name": "Ann", "age": 40}
    shop = {"__typename": "Shop", "id": "2", "name": "Co"}
    item = {"__typename": "Item", "id": "3", "price": Decimal("1.5")}
    assert table(OWNERS, user, shop, item) == [
        user | {"price": None},
        shop | {"age": None, "price": None},
        item | {"name": None, "age": None},
    ]


@pytest.mark.parametrize(
    ("row", "path"),
    [
        ({"__typename": "User", "id": "1", "name": "Ann"}, "age"),
        ({"__typename": "Shop", "id": "1"}, "name"),
        ({"__typename": "Item", "price": 1}, "id"),
        ({"id": "1", "name": "Ann", "age": 1, "price": 1}, "__typename"),
        ({"__typename": None, "id": "1"}, "name"),
        ({"__typename": ["User"], "id": "1", "name": "Ann", "age": 1, "price": 1}, "__typename"),
    ],
)
def test_a_field_that_the_rows_type_has_may_not_be_missing(row: dict[str, Any], path: str) -> None:
    whole = {"__typename": "Item", "id": "0", "price": None}
    assert refusal(OWNERS, whole, row).startswith(f"1 {path}: ")


def test_a_type_that_the_schema_does_not_know_lacks_the_fields_of_fragments_only() -> None:
    newer = {"__typename": "Robot", "id": "9"}
    assert table(OWNERS, newer) == [newer | {"name": None, "age": None, "price": None}]
    assert table(OWNERS, newer | {"name": "R2"}) == [newer | {"name": "R2", "age": None, "price": None}]
    assert refusal(OWNERS, {"__typename": "Robot"}) == "0 id: the answer lacks this field"


PETS = """
    __typename
    ... on User { pet { __typename ... on Dog { bark } } boss { name } }
    ... on Shop { pet { __typename ... on Cat { meow } } boss { age name } }
"""


def test_the_same_field_of_two_types_is_one_column_with_the_fields_of_both() -> None:
    user = {"__typename": "User", "pet": {"__typename": "Dog", "bark": "w"}, "boss": {"name": "A"}}
    shop = {"__typename": "Shop", "pet": {"__typename": "Dog"}, "boss": {"age": 9, "name": "B"}}
    assert table(PETS, user, shop) == [
        {
            "__typename": "User",
            "pet": {"__typename": "Dog", "bark": "w", "meow": None},
            "boss": {"name": "A", "age": None},
        },
        {
            "__typename": "Shop",
            "pet": {"__typename": "Dog", "bark": None, "meow": None},
            "boss": {"name": "B", "age": 9},
        },
    ]


@pytest.mark.parametrize(
    ("row", "path"),
    [
        ({"__typename": "User", "pet": {"__typename": "Dog"}, "boss": None}, "pet.bark"),
        ({"__typename": "Shop", "pet": {"__typename": "Cat"}, "boss": None}, "pet.meow"),
        ({"__typename": "Shop", "pet": None, "boss": {"name": "B"}}, "boss.age"),
        ({"__typename": "User", "pet": {}, "boss": None}, "pet.__typename"),
    ],
)
def test_what_is_missing_depends_on_the_types_around_it(row: dict[str, Any], path: str) -> None:
    assert refusal(PETS, row) == f"0 {path}: the answer lacks this field"


TAGS = "__typename ... on Item { tags { __typename ... on Red { red } ... on Blue { blue } } }"


def test_lists_of_lists_of_a_union_are_told_apart_item_by_item() -> None:
    red, blue = {"__typename": "Red", "red": 1}, {"__typename": "Blue", "blue": 2}
    found = table(
        TAGS, {"__typename": "Item", "tags": [[red, None], None, [], [blue]]}, {"__typename": "User"}
    )
    assert found == [
        {"__typename": "Item", "tags": [[red | {"blue": None}, None], None, [], [blue | {"red": None}]]},
        {"__typename": "User", "tags": None},
    ]
    lacking = {"__typename": "Item", "tags": [[red], [{"__typename": "Blue"}]]}
    assert refusal(TAGS, {"__typename": "Shop"}, lacking) == "1 tags.blue: the answer lacks this field"


@pytest.mark.parametrize("row", [{"__typename": "Item", "tags": 3}, {"__typename": "Item", "tags": [[3]]}])
def test_an_answer_of_another_shape_is_refused_also_below_fragments(row: dict[str, Any]) -> None:
    assert "is expected, not a number" in refusal(TAGS, row)
