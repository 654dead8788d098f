"""Scalars: what each is kept as, by the user's word, else by its name."""

import logging
import re
from collections.abc import Mapping
from functools import cache

import pyarrow as pa
from graphql import (
    GraphQLEnumType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLSchema,
    VariableDefinitionNode,
    get_named_type,
    print_ast,
    specified_scalar_types,
)

from resources.errors import ConfigurationError
from resources.graphql.columns import TIMESTAMP, Column, Kept, Scalar, every_scalar

log = logging.getLogger(__name__)

MOST_DIGITS = 38  # beyond, Arrow's decimal256 is read as a float by some readers of Parquet

TEXT = Kept("text", pa.string())
JSON = Kept("json", pa.string())
DECIMAL = Kept("decimal", pa.decimal128(MOST_DIGITS, 9))
INT64 = Kept("int64", pa.int64())
ENUM = Kept("enum", pa.string())
UNKNOWN = Kept("unknown", pa.string())  # text as it is, anything else as JSON

WORDS = {
    kept.word: kept
    for kept in (
        TEXT,
        INT64,
        Kept("float64", pa.float64()),
        Kept("bool", pa.bool_()),
        Kept("date", pa.date32()),
        Kept("time", pa.time64("us")),
        Kept("timestamp", TIMESTAMP),
        Kept("local timestamp", pa.timestamp("us")),
        DECIMAL,
        JSON,
    )
}

TABLE: dict[str, str] = {
    "text": """
        String ID UUID GUID ULID CUID ObjectID BSONObjectId URL URI HTML Markdown Email EmailAddress
        PhoneNumber PostalCode CountryCode CountryName Currency Language Locale Color HexColorCode
        NonEmptyString NormalizedString FormattedString IP IPv4 IPv6 MAC JWT SemVer RegularExpression
        Duration ISO8601Duration Interval Period TimeSpan TimeZone UtcOffset OffsetTime TimeTZ
        ZonedDateTime Char Varchar Bpchar Citext Bytea Inet Cidr Macaddr XML JSONString AWSJSON AWSURL
        AWSEmail AWSPhone AWSIPAddress Base64 Base64String GitObjectID GitRefname GitSSHRemote
        GitTimestamp X509Certificate ARN StorefrontID Slug
        """,
    "int64": """
        Int Long BigInt BigInteger Short Int2 Int4 Int8 Int16 Int32 Int64 Integer SmallInt TinyInt UInt
        UInt8 UInt16 UInt32 UnsignedInt UnsignedShort UnsignedByte PositiveInt NonNegativeInt
        NegativeInt NonPositiveInt SafeInt Port
        """,
    "decimal(20,0)": "UInt64 UnsignedInt64 UnsignedLong ULong",
    "float64": """
        Float Double Real Single Float4 Float8 Float32 Float64 PositiveFloat NonNegativeFloat
        NegativeFloat NonPositiveFloat UnsignedFloat
        """,
    "decimal(38,9)": "Decimal BigDecimal Numeric BigFloat",
    "bool": "Boolean Bool",
    "date": "Date LocalDate DateOnly ISO8601Date",
    "time": "Time LocalTime TimeOnly",
    "timestamp": """
        Instant DateTime OffsetDateTime DateTimeOffset DateTimeISO ISO8601DateTime PreciseDateTime
        AWSDateTime TimestampTZ
        """,
    "local timestamp": "LocalDateTime NaiveDateTime",
    "json": "JSON JSONB JSONObject GenericScalar GeoJSON Any Object Map",
}

DECIMAL_WORD = re.compile(r"decimal *\( *([0-9]{1,3}) *, *([0-9]{1,3}) *\)")
ENTRY_END = re.compile(r",(?![^(]*\))")  # a comma, but not that of decimal(18,2)


def kept_as(word: str) -> Kept | None:
    """Read a word of the configuration: text, int64, …, decimal(18,2)."""
    word = " ".join(word.split()).lower()
    if found := DECIMAL_WORD.fullmatch(word):
        digits, scale = int(found[1]), int(found[2])
        usable = 1 <= digits <= MOST_DIGITS and scale <= digits
        return Kept(DECIMAL.word, pa.decimal128(digits, scale)) if usable else None
    return WORDS.get(word)


def _plain(name: str) -> str:
    return name.replace("_", "").lower()


BY_NAME = {_plain(name): kept_as(word) for word, names in TABLE.items() for name in names.split()}


def by_name(name: str) -> Scalar:
    """Give what is known of a scalar's name, whatever its case and underscores."""
    return Scalar(name, BY_NAME.get(_plain(name)) or UNKNOWN)


class Scalars:
    """The scalars of one schema; `configured` wins over what is known of a name, also for built-in ones.

    It names a scalar, `Money`, or a field of an object or interface, `Person.birthday`, which wins.
    """

    def __init__(self, schema: GraphQLSchema, configured: Mapping[str, str] | None = None) -> None:
        self._schema = schema
        self._configured = {name: _configured(name, word) for name, word in (configured or {}).items()}
        for name in self._configured:
            if not isinstance(_named(name, schema), GraphQLScalarType):
                _say_once(name, self._scalars())

    def scalar(self, name: str, field: str = "") -> Scalar:
        """Give the leaf type of a name: a scalar, an enum, or something unknown, which is text."""
        if isinstance(self._schema.get_type(name), GraphQLEnumType):
            return Scalar(name, ENUM, field)
        configured = self._configured.get(field) or self._configured.get(name)
        return Scalar(name, configured or by_name(name).kept, field)

    def of_variable(self, definition: VariableDefinitionNode) -> Scalar:
        """Give the type of a variable; whether it is required does not matter."""
        return self.scalar(print_ast(definition.type).rstrip("!"))

    def _scalars(self) -> tuple[str, ...]:
        types = self._schema.type_map
        return tuple(sorted(name for name, type_ in types.items() if isinstance(type_, GraphQLScalarType)))


def _named(name: str, schema: GraphQLSchema) -> GraphQLNamedType | None:
    """Find what a setting names: a type, or the type of a field."""
    type_name, _, field = name.partition(".")
    type_ = schema.get_type(type_name) or specified_scalar_types.get(type_name)
    if not field:
        return type_
    fields = type_.fields if isinstance(type_, GraphQLObjectType | GraphQLInterfaceType) else {}
    return get_named_type(fields[field].type) if field in fields else None


@cache
def _say_once(name: str, scalars: tuple[str, ...]) -> None:
    """Warn, as one setting is for many queries, and a new schema may lack what the one before had."""
    log.warning(
        "scalars (TARGETDATA_SCALARS or GRAPHQL_SCALARS): %s is without effect, as the schema has no such "
        "scalar, nor a field that is one; it has %s",
        name,
        ", ".join(scalars),
    )


def _configured(name: str, word: str) -> Kept:
    found = kept_as(word)
    if found is None:
        raise ConfigurationError(
            f"scalars: {name}={word}: there is no type {word}; there are {', '.join(WORDS)}, the decimal "
            f"also as decimal(p,s) with p digits, {MOST_DIGITS} at most, s of them after the point"
        )
    return found


def read_scalars(text: str) -> dict[str, str]:
    """Read a setting such as `Money=decimal(18,2),Person.birthday=date`; raises ValueError."""
    entries = [entry.partition("=") for entry in ENTRY_END.split(text) if entry.strip()]
    if any(not (name.strip() and word.strip()) for name, _, word in entries):
        raise ValueError("it should look like Money=decimal(18,2),BigInt=text")
    return {name.strip(): word.strip() for name, _, word in entries}


def unknown_scalars(columns: tuple[Column, ...]) -> set[str]:
    """Name the scalars that are written as text because nothing is known of them."""
    return {scalar.name for scalar in every_scalar(columns) if scalar.kept is UNKNOWN}
