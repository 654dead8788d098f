"""What was learned, written as SDL."""

from collections.abc import Mapping, Sequence

from graphql import GraphQLSchema, is_enum_type, specified_scalar_types

from resources.graphql.schema.pulling.literals import named
from resources.graphql.schema.pulling.place import LearnedField, Place

HEADER = """\
# Learned from the server's validation errors, because it refuses introspection. What is here is there; the
# server may have more than is here.
"""

Types = Mapping[str, Sequence[LearnedField]]


def write(places: Mapping[str, Place], notes: Sequence[str], known: GraphQLSchema) -> tuple[str, list[str]]:
    """Write SDL with a header, and give all notes: those given and those about what was left out."""
    types, left_out = _without_empty({name: list(place.fields.values()) for name, place in places.items()})
    scalars = _scalars(types)
    unsure = [f"{s} may be an enum; it is declared as a scalar" for s in scalars if s not in known.type_map]
    enums = [f"{s} was an enum; it is declared as a scalar" for s in scalars if _is_enum(s, known)]
    noted = [*notes, *left_out, *unsure, *enums]
    blocks = [*(f"scalar {s}\n" for s in scalars), *(_type(name, fields) for name, fields in types.items())]
    return HEADER + "".join(f"# - {_line(note)}\n" for note in noted) + "\n" + "\n".join(blocks), noted


def _without_empty(types: Types) -> tuple[Types, list[str]]:
    """Leave out types without fields, and the fields of such types, until all is whole."""
    notes: list[str] = []
    while empty := {name for name, fields in types.items() if not fields and name != "Query"}:
        for name, fields in types.items():
            notes += [
                f"{name}.{field} is there, but nothing is known inside {named(field.type)}; it is left out"
                for field in fields
                if named(field.type) in empty
            ]
        whole = {name: fields for name, fields in types.items() if name not in empty}
        types = {n: [f for f in fields if named(f.type) not in empty] for n, fields in whole.items()}
    return types, notes


def _scalars(types: Types) -> list[str]:
    """Give the custom scalars, in the order of their use."""
    fields = [field for found in types.values() for field in found]
    used = [named(t) for field in fields for t in (field.type, *field.arguments.values())]
    return [name for name in dict.fromkeys(used) if name not in types and name not in specified_scalar_types]


def _is_enum(name: str, known: GraphQLSchema) -> bool:
    return is_enum_type(known.get_type(name))


def _type(name: str, fields: Sequence[LearnedField]) -> str:
    return f"type {name} {{\n" + "".join(f"  {field}\n" for field in fields) + "}\n"


def _line(note: str) -> str:
    return " ".join(note.split())
