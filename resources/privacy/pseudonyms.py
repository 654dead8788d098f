"""Pseudonyms: keyed hashes in place of texts, wherever in nested columns they are."""

import hmac
from collections.abc import Callable

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from resources.privacy.suppression import require_key

LABEL, CHECK = b"pseudonym", b"pseudonym check"  # what the key is for: it has other uses too
SHA256 = "sha256"

Path = tuple[str, ...]  # columns, from the table's own down to a text
Replace = Callable[[pa.Array], pa.Array]


class Pseudonyms:
    """Makes the pseudonym of a text: HMAC-SHA256 in hexadecimal, the same for the same text and key.

    The key of the HMAC is derived from the one that is given: HMAC-SHA256 of the word `pseudonym`.
    """

    def __init__(self, key: str) -> None:
        require_key(key)
        self._key = hmac.digest(key.encode(), LABEL, SHA256)
        self.check = hmac.digest(key.encode(), CHECK, SHA256).hex()[:16]  # tells whether a key is another

    def of(self, texts: pa.Array) -> pa.Array:
        """Give those of some texts; null stays null. Each distinct text is hashed once."""
        coded = texts.dictionary_encode()
        distinct = coded.dictionary.cast(pa.binary()).to_pylist()
        hashes = [hmac.digest(self._key, text, SHA256).hex() for text in distinct]
        return pa.array(hashes, pa.string()).take(coded.indices)


def replaced(table: pa.Table, path: Path, replace: Replace) -> pa.Table:
    """Replace the texts that a path leads to, inside of lists and structs too; types stay as they are."""
    place = table.schema.get_field_index(path[0])
    field = table.schema.field(place)
    chunks = [_replaced(chunk, path[1:], replace) for chunk in table.column(place).chunks]
    return table.set_column(place, field, pa.chunked_array(chunks, field.type))


def _replaced(values: pa.Array, path: Path, replace: Replace) -> pa.Array:
    if pt.is_list(values.type):
        lengths = pc.fill_null(pc.list_value_length(values), 0)
        ends = pa.concat_arrays([pa.array([0], lengths.type), pc.cumulative_sum(lengths)])
        items = _replaced(values.flatten(), path, replace)  # without what lies under a list that is null
        return pa.ListArray.from_arrays(ends, items, type=values.type, mask=values.is_null())
    if not pt.is_struct(values.type):
        return replace(values)
    place = values.type.get_field_index(path[0])
    fields = values.flatten()  # null where the struct is
    fields[place] = _replaced(fields[place], path[1:], replace)
    return pa.StructArray.from_arrays(fields, fields=list(values.type), mask=values.is_null())
