"""Canaries: values that are each unique, so that one that is found where it may not be names its source."""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from graphql import (
    GraphQLField,
    GraphQLList,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    build_schema,
    get_nullable_type,
)

from tests.sandbox.people import Person

MARK = "canary-"
WORD = re.compile(rb"canary-[\w.\[\]-]*\w")
START = datetime(1987, 1, 1, tzinfo=UTC)  # nothing else in a log is of that year
INSTANT = re.compile(rb"1987-\d\d-\d\d[T ]\d\d:\d\d:\d\d\.\d{6}")
NUMBER = re.compile(rb"(?<!\d)\d{9,16}(?!\d)")
FIRST_INTEGER, FIRST_FRACTION = 827_034_001, 827_034_501  # nine digits each
SCHEMA = Path(__file__).parent / "sandbox" / "schema.graphql"
EDITS = {"  owner: String\n": "  owner: String\n  visits: Int\n  score: Float\n"}  # numbers, which it lacks
UMID = {"identifiers[0].name": "umid"}  # by which a person is found
# Names of things, not of people: `profiles_wide` makes columns of them and shows in metadata which there are.
THINGS = UMID | {
    "identifiers[1].name": "customer-id",
    "attributes[0].name": "city",
    "attributes[1].name": "segment",
    "permissions[0].name": "CS-OM",
    "permissions[1].name": "CS-NBA",
}
TELLING = 20  # characters of a token's part that cannot be anywhere by chance


class Canaries:
    """People with a canary in every field, at any depth, but for some `names`; and all else to be found."""

    def __init__(self, number: int, names: Mapping[str, str] = UMID) -> None:
        self._names = names
        self._number = count()
        self._named: dict[bytes, str] = {}
        self._secrets: dict[bytes, str] = {}
        person = edited_schema().get_type("PersonTargetData")
        assert isinstance(person, GraphQLObjectType)
        self.people = [self._object(person, f"person{i}", "") for i in range(number)]

    def add(self, name: str, secret: str) -> None:
        """Take a secret that is as it is: it is looked for in each of its parts."""
        for part in (secret, *secret.split(".")):
            if len(part) >= TELLING:
                self._secrets[part.encode()] = name

    def found(self, text: bytes) -> set[str]:
        """Give the names of all canaries in a text."""
        hits = {hit.replace(b" ", b"T") for hit in INSTANT.findall(text)} | set(NUMBER.findall(text))
        words = {word.decode() for word in WORD.findall(text)}
        secrets = {name for secret, name in self._secrets.items() if secret in text}
        return words | secrets | {self._named[hit] for hit in hits if hit in self._named}

    def _object(self, type_: GraphQLObjectType, person: str, path: str) -> Person:
        fields = {name: field for name, field in type_.fields.items() if not field.args}
        return {name: self._field(field, person, f"{path}{name}") for name, field in fields.items()}

    def _field(self, field: GraphQLField, person: str, path: str) -> object:
        return self._names.get(path) or self._value(field.type, person, path)

    def _value(self, type_: GraphQLOutputType, person: str, path: str) -> object:
        type_ = get_nullable_type(type_)
        if isinstance(type_, GraphQLList):
            return [self._value(type_.of_type, person, f"{path}[{i}]") for i in range(2)]
        if isinstance(type_, GraphQLObjectType):
            fields = {name: field for name, field in type_.fields.items() if not field.args}
            return {name: self._field(field, person, f"{path}.{name}") for name, field in fields.items()}
        return self._scalar(str(type_), f"{MARK}{person}.{path}")

    def _scalar(self, type_: str, name: str) -> object:
        number = next(self._number)
        match type_:
            case "Boolean":
                return True  # there are but two
            case "Int":
                self._named[str(FIRST_INTEGER + number).encode()] = name
                return FIRST_INTEGER + number
            case "Float":
                self._named[str(FIRST_FRACTION + number).encode()] = name
                return float(f"0.{FIRST_FRACTION + number}")
            case "Instant":
                return self._instant(number, name)
        return name

    def _instant(self, number: int, name: str) -> str:
        moment = START + timedelta(seconds=number, microseconds=100_000 + number)
        text = f"{moment:%Y-%m-%dT%H:%M:%S.%f}"
        microseconds = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
        self._named |= {text.encode(): name, str(microseconds).encode(): name}
        return text + "Z"


def edited_schema() -> GraphQLSchema:
    """Give the sandbox's schema with numbers in it."""
    text = SCHEMA.read_text("utf-8")
    for old, new in EDITS.items():
        text = text.replace(old, new)
    return build_schema(text)


def written(root: Path) -> Iterator[tuple[Path, bytes]]:
    """Give all files below a folder with what they say: tables as JSON, all others as they are.

    Of a slice's index the cursor is left out: an API may make it of a key, and a run needs it to go on.
    """
    for path in sorted(path for path in root.rglob("*") if path.is_file()):
        if path.suffix in (".parquet", ".arrow"):
            yield path, _rows(path)
        elif path.match("slice-*.json"):
            _, _, text = path.read_bytes().partition(b"\n")  # below its checksum
            yield path, json.dumps(json.loads(text) | {"reached": None}).encode()
        else:
            yield path, path.read_bytes()


def _rows(path: Path) -> bytes:
    try:
        table = pq.read_table(path) if path.suffix == ".parquet" else pa.ipc.open_file(path).read_all()
    except pa.ArrowInvalid:  # damaged on purpose
        return path.read_bytes()
    footer = {str(name): str(value) for name, value in (table.schema.metadata or {}).items()}
    return json.dumps([table.to_pylist(), footer], default=str).encode()
