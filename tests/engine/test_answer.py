"""What of a server's words may be shown."""

import pytest

from resources.graphql.sending.answer import Answer


def shown(message: str, **entry: object) -> str:
    return Answer.of({"errors": [{"message": message, **entry}]}).errors[0].shown()


@pytest.mark.parametrize(
    "message",
    [
        "Cannot query field 'name' on type 'Identifier'. Did you mean 'kind'?",
        "Variable '$umid0' of type 'String!' used in position expecting type 'ID!'.",
        "Unknown argument 'names' on field 'PersonTargetData.attributesByNames'.",
        "Validation error (FieldUndefined@[personTargetDataByUmid/name]) : Field 'name' is undefined",
        "maximum query complexity exceeded 900 > 200",
        "maximum query complexity exceeded 120000 > 10000",
        "Unknown directive '@defer' at line 120, column 345.",
        "Cannot query field 'x509' on type 'ISO8601DateTime_Comparison_Input'.",
        "Syntax Error: Aliases limit of 5 exceeded, found 6.",
    ],
)
def test_a_complaint_about_the_document_is_shown(message: str) -> None:
    assert shown(message) == f"{message} [without a code]"


@pytest.mark.parametrize(
    "message",
    [
        "customer jane@example.com is undefined",
        "profile of jane is too complex to be merged",
        "Fragment 'jane@example.com' of an attribute is lost",
        "Variable '$umid0' got invalid value 'jane@example.com'; it is too long.",
        "Unknown person jane@example.com",
        "Unknown type of key jane-8c942f68-5d45",
        "Unknown argument value jane@example.com",
        "Field 'name' of jane, +49 (170) 123-4567, is lost",
        "Unknown type of jane: 49 (170) 12 34",
        "Field 'born' of jane is not 1987-03-05",
        "Unknown type jane_0123456789",
        "no access to jane@example.com",
    ],
)
def test_what_may_hold_a_value_is_not_shown(message: str) -> None:
    assert "jane" not in shown(message)
    assert f"{len(message)} characters" in shown(message)


def test_nothing_is_shown_of_an_error_beside_data() -> None:
    answer = Answer.of({"data": {"k0": None}, "errors": [{"message": "Cannot query field jane"}]})
    assert "jane" not in answer.errors[0].shown()


def test_nothing_is_shown_of_an_error_of_one_field() -> None:
    path = ["k0", {"odd": []}]
    assert "jane" not in shown("Cannot query field jane", path=path)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("FORBIDDEN", "[FORBIDDEN]"),
        ("jane_doe", "[with an odd code]"),
        ("NO_jane@example.com", "[with an odd code]"),
    ],
)
def test_a_code_is_shown_if_it_is_a_plain_word(code: str, words: str) -> None:
    assert words in shown("Unknown type 'Person'.", extensions={"code": code})


@pytest.mark.parametrize(
    ("path", "read"),
    [
        ([None], ("?",)),
        ([True, "a", 0], ("?", "a", 0)),
        ([["k0"], {"a": 1}, 1.5], ("?", "?", "?")),
        ("k0", ()),
        ({"k0": 0}, ()),
        (None, ()),
    ],
)
def test_steps_of_a_path_are_names_and_positions(path: object, read: tuple[str | int, ...]) -> None:
    (error,) = Answer.of({"errors": [{"message": "it failed", "path": path}]}).errors
    assert error.path == read
