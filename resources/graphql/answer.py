"""A GraphQL answer: data, and errors with a path and a code."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class ServerError:
    """One entry of `errors`; `path` is empty where the server gives none."""

    message: str
    code: str
    path: tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server answered to one document; `data` is None when it refused the whole."""

    data: Mapping[str, object] | None
    errors: tuple[ServerError, ...]

    @classmethod
    def of(cls, answer: Mapping[str, object]) -> Self:
        """Read the decoded JSON of an answer."""
        data = answer.get("data")
        errors = tuple(
            ServerError(str(e.get("message") or "no message"), error_code(e), error_path(e))
            for e in error_list(answer)
        )
        return cls(data if isinstance(data, dict) else None, errors)


def error_path(error: Mapping[str, object]) -> tuple[str | int, ...]:
    """Give the response path that an error names."""
    path = error.get("path")
    return tuple(path) if isinstance(path, list) else ()


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
