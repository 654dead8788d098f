"""The names that become columns, as the settings have them: `city, visits_30d=int64, spent=decimal(10,2)`."""

import re
from dataclasses import dataclass

import pyarrow as pa

from resources.errors import ConfigurationError
from resources.graphql.columns import TIMESTAMP, snake_case

TYPES = {
    "text": pa.string(),
    "int64": pa.int64(),
    "float64": pa.float64(),
    "bool": pa.bool_(),
    "date": pa.date32(),
    "timestamp": TIMESTAMP,
}
COMMA = re.compile(r",(?![^(]*\))")  # not one between parentheses
TYPED = re.compile(r"(?P<name>.+)=(?P<type>[a-z]+[0-9]*|decimal\(.*\))")
DECIMAL = re.compile(r"decimal\((\d+),\s*(\d+)\)")


@dataclass(frozen=True, slots=True)
class Name:
    """A name in the data, and the type of its values; None if it is that of the list's values."""

    name: str
    type: pa.DataType | None

    def column(self, prefix: str) -> str:
        """Name the column: `CS-OM` and the prefix `permission` are `permission_cs_om`."""
        words = snake_case(re.sub(r"\W+", "_", self.name)).strip("_")
        return f"{prefix}_{words}"


def parse_names(text: str, setting: str) -> tuple[Name, ...]:
    """Read a setting's names; raise ConfigurationError for a type that there is not."""
    return tuple(_name(part.strip(), setting) for part in COMMA.split(text) if part.strip())


def _name(text: str, setting: str) -> Name:
    found = TYPED.fullmatch(text)
    if not found:
        return Name(text, None)
    return Name(found["name"].strip(), _type(found["type"], setting))


def _type(text: str, setting: str) -> pa.DataType:
    if text in TYPES:
        return TYPES[text]
    digits = DECIMAL.fullmatch(text)
    if digits and 1 <= int(digits[1]) <= 38 and int(digits[2]) <= int(digits[1]):
        return pa.decimal128(int(digits[1]), int(digits[2]))
    raise ConfigurationError(
        f"{setting}: there is no type {text}; there are {', '.join(TYPES)}, decimal(10,2)"
    )
