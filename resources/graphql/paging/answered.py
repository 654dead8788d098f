"""Errors beside a list's rows: what they say, and whether the rows are good all the same."""

import re

from resources.graphql.plan import Listed
from resources.graphql.sending.answer import Answer, ServerError

KEEP_OTHERS = 'keep the other values of such rows with Paging(errors="null")'
NAME = re.compile(r"[_A-Za-z][_0-9A-Za-z]{0,99}")


def reason_of(answer: Answer) -> str:
    """Say why an answer cannot be used, with the place and without values."""
    if not answer.errors:
        return "neither data nor errors"
    error = answer.errors[0]
    where = shown_path(error)
    if not where:
        return error.shown()
    advice = "" if answer.data is None else f". Leave that field out of the query, or {KEEP_OTHERS}"
    return f"{error.shown()}, at {where}{advice}"


def shown_path(error: ServerError) -> str:
    """Write where an error is: field names and positions in lists; nothing if it has other words."""
    steps = [str(step) for step in error.path]
    good = all(isinstance(s, int) or NAME.fullmatch(s) for s in error.path)
    return ".".join(steps) if good else ""


def tolerated(plan: Listed, answer: Answer) -> bool:
    """Say whether `Paging(errors="null")` lets an answer pass: each error is of a null value of some row."""
    if plan.errors is None or answer.data is None:
        return False
    return all(_is_of_a_row(plan, error, answer.data) for error in answer.errors)


def _is_of_a_row(plan: Listed, error: ServerError, data: object) -> bool:
    """Say whether an error nulled a value within the rows, or a row where null rows are dropped."""
    nulled = _nulled(error, data)
    names = tuple(step for step in nulled if isinstance(step, str))
    rows = plan.rows.place.path
    if names[: len(rows)] != rows:
        return False
    if names == rows and isinstance(nulled[-1], str):
        return False  # it is all rows
    node = plan.rows.node.path if plan.rows.node else rows
    return names[: len(node)] != node or len(names) > len(node) or plan.null_rows == "drop"


def _nulled(error: ServerError, data: object) -> tuple[str | int, ...]:
    """Give the path to the null that an error left, there or further up; nothing if there is none."""
    value = data
    for depth, step in enumerate(error.path):
        if isinstance(value, dict) and isinstance(step, str):
            value = value.get(step)
        elif isinstance(value, list) and isinstance(step, int) and 0 <= step < len(value):
            value = value[step]
        else:
            break
        if value is None:
            return error.path[: depth + 1]
    return ()
