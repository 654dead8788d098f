"""What the messages of validation errors say.

The words are those of graphql-js and its ports (core, gqlgen, Absinthe), graphql-java in its old and new
form, HotChocolate and graphql-ruby. Whether a field exists, and whether it is a leaf, follows from what is
refused; words save documents, and are the only source of the names of types.
"""

import re
from collections.abc import Collection, Iterable

from graphql import GraphQLSyntaxError, parse_type, print_ast

from resources.graphql.gaps import TYPENAME

ABSENT = re.compile(
    r"cannot query field|FieldUndefined|is undefined|does(?: not|n't) exist"
    r"|not found in type|unknown field\b",
    re.IGNORECASE,
)
SELECTION_NEEDED = re.compile(
    r"must have (?:a selection|selections|a sub)|sub-?\s?selection\s?required", re.IGNORECASE
)
ARGUMENT_NEEDED = re.compile(
    r"argument.*\b(?:required|not provided)|Missing\w*Argument|missing (?:required |field )*argument",
    re.IGNORECASE | re.DOTALL,
)
UNKNOWN_ARGUMENT = re.compile(
    r"unknown (?:field )?argument ['\"`]?(\w+)|doesn't accept argument ['\"`]?(\w+)", re.IGNORECASE
)
UNFIT_VALUE = re.compile(r"\b(?:got|has) (?:an )?invalid value", re.IGNORECASE)
UNKNOWN_TYPE = re.compile(r"unknown type ['\"`]?(\w+)", re.IGNORECASE)

_QUOTED = re.compile(r"'([^']*)'|\"([^\"]*)\"|`([^`]*)`")
_SUGGESTED = re.compile(r"did you mean", re.IGNORECASE)
_OLD_JAVA = re.compile(r"^Validation error of type \w+:\s*")
_FIELD = re.compile(r"\bfield (?!argument)['\"`]?(\w+)", re.IGNORECASE)
_PATH = re.compile(r"@\s*(?:\[([\w/]+)\]|'([\w/]+)')")
_TYPE = re.compile(r"\b(?:type:?|returns) (?!fields?\b|of\b)['\"`]?([\[\]!\w]+)", re.IGNORECASE)
_ARGUMENT = re.compile(r"arguments?:? ['\"`]?(\w+)['\"`]?(?:,? of type ['\"`]?([\[\]!\w]+))?", re.IGNORECASE)
_EXPECTED = re.compile(
    r"['\"`$]+(\w+)['\"`]? .*expect(?:ing|ed) type:? ['\"`]?([\[\]!\w]+)", re.IGNORECASE | re.DOTALL
)


def names_type(message: str, type_: str) -> bool:
    """Tell whether a message names a type."""
    return bool(re.search(rf"\b{re.escape(type_)}\b", _without_suggestions(message)))


def any_says(pattern: re.Pattern[str], messages: Iterable[str]) -> bool:
    """Tell whether one of the messages matches."""
    return any(pattern.search(message) for message in messages)


def field_meant(message: str, names: Collection[str]) -> str | None:
    """Give the field that a message is about, if it is one of `names`."""
    stated = _without_suggestions(message)
    found = [*_FIELD.findall(stated), *_last_of_paths(stated)]
    return next((name for name in found if name in names), None)


def only_quoted(message: str, names: Collection[str]) -> str | None:
    """Give the one name of `names` that a message quotes."""
    found = {text for text in _quoted(_without_suggestions(message)) if text in names}
    return found.pop() if len(found) == 1 else None


def suggestions(message: str) -> tuple[str, ...]:
    """Give the names after "Did you mean"."""
    _, *after = _SUGGESTED.split(message)
    return tuple(text for part in after for text in _quoted(part) if re.fullmatch(r"[A-Za-z]\w*", text))


def stated_type(messages: Iterable[str], field: str) -> str | None:
    """Give the type that messages about a field's selection name, with its list and non-null marks."""
    for message in messages:
        stated = _without_suggestions(_OLD_JAVA.sub("", message))
        others = [text for text in _quoted(stated) if text not in (field, TYPENAME)]
        for text in [*_TYPE.findall(stated), *others]:
            if (type_ := _as_type(text)) is not None:
                return type_
    return None


def needed_arguments(messages: Iterable[str]) -> dict[str, str | None]:
    """Give the arguments that messages ask for, with their types where they are said."""
    found = [_ARGUMENT.search(m) for m in map(_without_path, messages) if ARGUMENT_NEEDED.search(m)]
    return {match[1]: _as_type(match[2] or "") for match in found if match}


def expected_types(messages: Iterable[str]) -> dict[str, str]:
    """Give the types that the places of variables expect, by variable."""
    found = [_EXPECTED.search(message) for message in messages]
    types = {match[1]: _as_type(match[2]) for match in found if match}
    return {name: type_ for name, type_ in types.items() if type_ is not None}


def _as_type(text: str) -> str | None:
    try:
        return print_ast(parse_type(text))
    except GraphQLSyntaxError:
        return None


def _quoted(message: str) -> list[str]:
    return [next(filter(None, groups), "") for groups in _QUOTED.findall(message)]


def _last_of_paths(message: str) -> list[str]:
    return [(new or old).rpartition("/")[2] for new, old in _PATH.findall(message)]


def _without_path(message: str) -> str:
    return re.sub(r"^.*?\)\s*:\s*", "", _OLD_JAVA.sub("", message))


def _without_suggestions(message: str) -> str:
    return _SUGGESTED.split(message)[0]
