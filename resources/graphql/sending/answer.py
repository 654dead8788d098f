"""A GraphQL answer: data, and errors with a path and a code."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

PLAIN_CODE = re.compile(r"[A-Z][A-Za-z_]{0,39}")
QUOTED = r"[\"'‘“]\w+[\"'’”]"
COMPLAINT = re.compile(
    r"Cannot query field |Unknown (type|argument|directive|fragment|operation|field) |Validation error \("
    rf"|(Field|Fragment) {QUOTED} |Variable \S{{1,40}} (of type|is not defined)"
    r"|(Syntax Error: )?Aliases limit|Syntax Error|Invalid syntax|(GraphQL )?introspection "
    r"|((the|maximum) )?(query|document|operation|request) (is too (complex|deep)|complexity|depth)",
    re.IGNORECASE,
)
# A complaint may go on with what it is about: an address, seven digits as in a number or a date, or a word
# with six of them, as keys have. Types and limits have fewer.
LOOKS_PERSONAL = re.compile(r"\w@\w|\d(?:[ ()/.-]{0,2}\d){6}|(?<![\w-])(?=(?:(?:[^\W\d]|-)*\d){6})[\w-]{12}")


@dataclass(frozen=True, slots=True)
class ServerError:
    """One entry of `errors`; `path` is empty where the server gives none.

    `executed`: the answer has data, so the error is not about the document alone.
    """

    message: str
    code: str
    path: tuple[str | int, ...]
    executed: bool = True

    @property
    def plain_code(self) -> str:
        """The code, if it is a word that may be shown."""
        if not self.code:
            return "without a code"
        return self.code if PLAIN_CODE.fullmatch(self.code) else "with an odd code"

    def shown(self) -> str:
        """Write it for a log: a complaint about the document as it is, else its code and length only.

        What a server says while it executes a document may hold keys and values of profiles.
        """
        about_document = COMPLAINT.match(self.message) and not LOOKS_PERSONAL.search(self.message)
        if about_document and not self.path and not self.executed:
            return f"{self.message} [{self.plain_code}]"
        return f"an error of {len(self.message)} characters [{self.plain_code}], which may hold personal data"


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server answered to one document; `data` is None when it refused the whole."""

    data: Mapping[str, object] | None
    errors: tuple[ServerError, ...]

    @classmethod
    def of(cls, answer: Mapping[str, object]) -> Self:
        """Read the decoded JSON of an answer."""
        data = answer.get("data")
        found = data if isinstance(data, dict) else None
        errors = tuple(
            ServerError(
                message=str(e.get("message") or "no message"),
                code=error_code(e),
                path=error_path(e),
                executed=found is not None,
            )
            for e in error_list(answer)
        )
        return cls(found, errors)


def error_path(error: Mapping[str, object]) -> tuple[str | int, ...]:
    """Give the response path that an error names; a step that is no name or position becomes a ?."""
    path = error.get("path")
    steps = path if isinstance(path, list) else []
    return tuple(step if type(step) in (str, int) else "?" for step in steps)


def error_list(answer: Mapping[str, object]) -> list[Mapping[str, object]]:
    """Give the `errors` of an answer; an entry that is no object becomes one with a message."""
    errors = answer.get("errors")
    entries = errors if isinstance(errors, list) else [errors] if errors else []
    return [entry if isinstance(entry, dict) else {"message": str(entry)} for entry in entries]


def error_code(error: Mapping[str, object]) -> str:
    """Give `extensions.code` (Apollo, Shopify) or `extensions.classification` (graphql-java)."""
    extensions = error.get("extensions")
    if not isinstance(extensions, dict):
        return ""
    return str(extensions.get("code") or extensions.get("classification") or "")
