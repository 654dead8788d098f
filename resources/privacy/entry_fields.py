"""Which fields of a list's entries hold the name, the value and the time.

What is inside the lists differs between accounts, so it is told from the names of the query's columns, or
by the setting TARGETDATA_WIDE_FIELDS. Only names that are well known count: a wrong guess would show a
permission as granted that was withdrawn.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.types as pt

from resources.errors import ConfigurationError
from resources.graphql.columns import snake_case

SETTING, SCALARS = "TARGETDATA_WIDE_FIELDS", "TARGETDATA_SCALARS"
PREFIXES = {"attributes": "attribute", "permissions": "permission", "identifiers": "identifier"}
# Field names from the best on; those of one pattern are as good as each other, so two of them cannot be told.
NAMES = {  # nothing that may hold a value: names are counted in Dagster's metadata
    "attributes": ("name", "attribute_name|field_name", "attribute|field", "key|code"),
    "permissions": ("name", "permission_name|field_name", "permission", "key|code"),
    "identifiers": ("name", "identifier_name|id_name|field_name", "key"),
}
VALUES = {
    "attributes": ("value|attribute_value|field_value", "status|state"),
    "permissions": (
        "value|permission_value|field_value|granted|given|allowed|consented|permitted|status|state",
    ),
    "identifiers": ("value|identifier_value|id_value|field_value", "id"),
}
TIMES = (r"timestamp|(last_)?(seen|changed?|updated?|modified|modification)(_(at|on|date|time|timestamp))?",)


@dataclass(frozen=True, slots=True)
class EntryFields:
    """The fields of a list's entries by what they hold; without a time the first entry of a name counts."""

    name: str
    value: str
    time: str | None
    value_type: pa.DataType


def entry_fields(
    column: str, schema: pa.Schema, given: Mapping[str, tuple[str, ...]], *, otherwise: str
) -> EntryFields | str:
    """Tell the fields of a list, or say why they cannot be told; `otherwise` is what follows then."""
    position = schema.get_field_index(column)
    type_ = schema.field(position).type if position >= 0 else None
    if type_ is None or not (pt.is_list(type_) and pt.is_struct(type_.value_type)):
        return f"there is no list {column} with fields: {otherwise}"
    fields = {field.name: field.type for field in type_.value_type}
    return _given(column, fields, given[column]) if column in given else _told(column, fields, otherwise)


def _told(column: str, fields: Mapping[str, pa.DataType], otherwise: str) -> EntryFields | str:
    names = _best(NAMES[column], fields)
    rest = [field for field in fields if field not in names]
    values, times = _best(VALUES[column], rest), _best(TIMES, rest)
    for what, found in (("the name", names), ("the value", values), ("the time", times)):
        if len(found) > 1:
            return _untold(column, f"{' and '.join(found)} may each hold {what}", otherwise)
    if not names or not values or not pt.is_string(fields[names[0]]) or not _is_value(fields[values[0]]):
        return _untold(column, f"it has {', '.join(fields)}", otherwise)
    if times and not _is_instant(fields[times[0]]):
        return (
            f"which entry of {column} is the newest cannot be told, {times[0]} is {fields[times[0]]} and no "
            f"instant: {otherwise}. Set {SCALARS}=Type.field=timestamp for it, or "
            f"{SETTING}={column}={names[0]}:{values[0]} to take the first entry of a name"
        )
    return EntryFields(names[0], values[0], times[0] if times else None, fields[values[0]])


def _untold(column: str, reason: str, otherwise: str) -> str:
    return (
        f"which fields of {column} hold name, value and time cannot be told, {reason}: {otherwise}. "
        f"Set {SETTING}, for example {column}=name:value:time"
    )


def _best(ranks: Iterable[str], fields: Collection[str]) -> list[str]:
    """Give the fields of the best rank that has any."""
    found = ([field for field in fields if re.fullmatch(rank, field)] for rank in ranks)
    return next(filter(None, found), [])


def _is_value(type_: pa.DataType) -> bool:
    return not pt.is_nested(type_) and not _is_instant(type_)


def _is_instant(type_: pa.DataType) -> bool:
    return bool(pt.is_timestamp(type_))


def _given(column: str, fields: Mapping[str, pa.DataType], given: tuple[str, ...]) -> EntryFields:
    unknown = [name for name in given if name not in fields]
    if unknown:
        raise ConfigurationError(
            f"{SETTING}: {column} has no field {', '.join(unknown)}; it has {', '.join(fields)}"
        )
    name, value, *time = given
    if (
        not pt.is_string(fields[name])
        or pt.is_nested(fields[value])
        or not all(_is_instant(fields[t]) for t in time)
    ):
        raise ConfigurationError(
            f"{SETTING}: {column}={':'.join(given)} is not a text, a value and an instant"
        )
    return EntryFields(name, value, time[0] if time else None, fields[value])


def parse_fields(text: str) -> dict[str, tuple[str, ...]]:
    """Read the setting: `attributes=key:text:updatedAt, permissions=code:granted`."""
    given: dict[str, tuple[str, ...]] = {}
    for part in filter(None, map(str.strip, text.split(","))):
        column, _, names = part.partition("=")
        fields = tuple(snake_case(name.strip()) for name in names.split(":"))
        if column.strip() not in PREFIXES or len(fields) not in (2, 3) or not all(fields):
            raise ConfigurationError(
                f"{SETTING}: {part} should look like attributes=name:value or attributes=name:value:time; "
                f"the lists are {', '.join(PREFIXES)}"
            )
        given[column.strip()] = fields
    return given
