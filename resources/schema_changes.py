"""The setting for changes of a table's columns."""

from enum import StrEnum


class SchemaChanges(StrEnum):
    """What may be other in the columns that a query gives than in those that its table has."""

    FROZEN = "frozen"  # nothing
    ADDITIVE = "additive"  # there may be more of them, fields inside of structs too
