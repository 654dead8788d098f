"""Complaints: the errors of an answer, assigned to the fields that they are about."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from resources.graphql.schema.pulling.wording import field_meant, only_quoted

NO_REASON = "refused without a reason"


@dataclass(frozen=True, slots=True)
class Complaint:
    """One error: its words, the lines that it points at and the names on its path."""

    message: str
    lines: tuple[int, ...] = ()
    path: tuple[str, ...] = ()


def complaints(answer: Mapping[str, object]) -> tuple[Complaint, ...]:
    """Give what a server has against a document; nothing where it executed it, with or without success."""
    errors = _items(answer.get("errors"))
    if _executed(answer, errors):
        return ()
    return tuple(_complaint(error) for error in errors) or (Complaint(_reason(answer)),)


def blamed(found: Sequence[Complaint], lines: Mapping[int, str]) -> dict[str, tuple[str, ...]]:
    """Give the messages about each field; `lines` says which field stands on which line."""
    messages: dict[str, tuple[str, ...]] = {}
    for complaint in found:
        name = _field(complaint, lines)
        if name is not None:
            messages[name] = (*messages.get(name, ()), complaint.message)
    return messages


def _field(complaint: Complaint, lines: Mapping[int, str]) -> str | None:
    names = set(lines.values())
    pointed = [lines[line] for line in complaint.lines if line in lines]
    last = [name for name in complaint.path[-1:] if name in names]
    said = field_meant(complaint.message, names)
    return next(iter([*([said] if said else []), *pointed, *last]), only_quoted(complaint.message, names))


def _executed(answer: Mapping[str, object], errors: Sequence[object]) -> bool:
    """Errors of execution stand beside `data`; a null `data` needs a path, as some add one to any error."""
    if isinstance(answer.get("data"), Mapping):
        return True
    paths = [error.get("path") for error in errors if isinstance(error, Mapping)]
    return "data" in answer and bool(paths) and all(isinstance(path, list) for path in paths)


def _complaint(error: object) -> Complaint:
    if not isinstance(error, Mapping):
        return Complaint(str(error))
    places = [place for place in _items(error.get("locations")) if isinstance(place, Mapping)]
    lines = [place.get("line") for place in places]
    return Complaint(
        message=str(error.get("message") or NO_REASON),
        lines=tuple(line for line in lines if isinstance(line, int)),
        path=tuple(part for part in _items(error.get("path")) if isinstance(part, str)),
    )


def _reason(answer: Mapping[str, object]) -> str:
    return str(answer.get("message") or answer.get("error") or NO_REASON)


def _items(value: object) -> list[object]:
    return value if isinstance(value, list) else []
