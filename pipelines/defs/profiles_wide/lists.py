"""Which fields of a list's entries hold the name, the value and the time.

What is inside the lists differs between accounts, so it is told from the names of the query's columns, or
by the setting TARGETDATA_WIDE_FIELDS.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.types as pt

from resources.errors import ConfigurationError
from resources.graphql.columns import snake_case

SETTING = "TARGETDATA_WIDE_FIELDS"
PREFIXES = {"attributes": "attribute", "permissions": "permission", "identifiers": "identifier"}
NAMES = {  # nothing that may hold a value: names are counted in Dagster's metadata
    "attributes": "name|attribute_name|field_name|attribute|field|key|code",
    "permissions": "name|permission_name|field_name|permission|key|code",
    "identifiers": "name|identifier_name|id_name|field_name|key",
}
VALUES = r"value|.*_value|granted|given|allowed|consented|status|state|id"
TIMES = r"last_seen|change_date|changed|changed_at|updated|updated_at|timestamp|modified|.*"


@dataclass(frozen=True, slots=True)
class EntryFields:
    """The fields of a list's entries by what they hold; without a time the first entry of a name counts."""

    name: str
    value: str
    time: str | None
    value_type: pa.DataType


def entry_fields(column: str, schema: pa.Schema, given: Mapping[str, tuple[str, ...]]) -> EntryFields | str:
    """Tell the fields of a list, or say in words why they cannot be told."""
    position = schema.get_field_index(column)
    type_ = schema.field(position).type if position >= 0 else None
    if type_ is None or not (pt.is_list(type_) and pt.is_struct(type_.value_type)):
        return f"profiles has no list {column} with fields: the wide table has no column for any of them"
    fields = {field.name: field.type for field in type_.value_type}
    if column in given:
        return _given(column, fields, given[column])
    name = _first(NAMES[column], fields, pt.is_string)
    rest = {field: type_ for field, type_ in fields.items() if field != name}
    value = _first(VALUES, rest, lambda type_: not pt.is_nested(type_) and not _is_instant(type_))
    if name is None or value is None:
        return (
            f"which fields of {column} hold name and value cannot be told, it has {', '.join(fields)}: the "
            f"wide table has no column for them. Set {SETTING}, for example {column}=name:value:time"
        )
    return EntryFields(name, value, _first(TIMES, rest, _is_instant), fields[value])


def _first(
    patterns: str, fields: Mapping[str, pa.DataType], fits: Callable[[pa.DataType], object]
) -> str | None:
    """Find the field of the earliest pattern that one has."""
    for pattern in patterns.split("|"):
        for name, type_ in fields.items():
            if re.fullmatch(pattern, name) and fits(type_):
                return name
    return None


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
