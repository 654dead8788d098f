"""The suppression list: keyed hashes of the people who were erased, so that nobody asks for them again."""

import hmac
from collections.abc import Collection, Iterable
from hashlib import blake2b, sha256
from pathlib import Path
from typing import Self

import msgspec
import pyarrow as pa

from resources import lock
from resources.errors import ConfigurationError, LakeError
from resources.graphql.columns import column_name
from resources.table_file import UNREADABLE, make_folder, replace, write_file

FOLDER, FILE, LOCK = "_suppressed", "list.json", ".lock"
FORMAT_VERSION = 1
HASH_BYTES = 16
KEY_SETTING = "TARGETDATA_PRIVACY_KEY"
LEAST_KEY = 16  # characters: who has the list can try all short keys, and then all phone numbers


class Suppressed(msgspec.Struct, frozen=True, kw_only=True):
    """The file: `check` tells whether a key is the one that the hashes were made with."""

    format_version: int = FORMAT_VERSION
    check: str
    hashes: list[str]


class Suppression:
    """The people of a lake who were erased.

    A person is named by `kind` and value: the column of a key or an identity (`umid`, `profile_id`), or an
    identifier's own name. The list holds neither, only their keyed hashes.
    """

    def __init__(self, key: str, hashes: Collection[str]) -> None:
        self._key = key
        self._hashes = frozenset(hashes)

    def __len__(self) -> int:
        """Count the hashes."""
        return len(self._hashes)

    @classmethod
    def read(cls, root: Path, key: str) -> Self:
        """Read a lake's list; empty where there is none.

        Raises ConfigurationError where there is one and this is not its key.
        """
        found = _read(root)
        if found is None:
            return cls(key, ())
        require_key(key)
        if not hmac.compare_digest(found.check, _check(key)):
            raise ConfigurationError(
                f"{KEY_SETTING} is not the key that {root / FOLDER / FILE} was written with: without that, "
                "people who were erased would come back. Set the former key"
            )
        return cls(key, found.hashes)

    @classmethod
    def add(cls, root: Path, key: str, people: Iterable[tuple[str, str]]) -> Self:
        """Put people, each a kind and a value, on a lake's list, in one step."""
        require_key(key)
        make_folder(root / FOLDER)
        held = lock.take(root / FOLDER / LOCK, wait=True)
        with lock.released(held):
            new = {hashed(key, kind, value) for kind, value in people}
            whole = cls.read(root, key)._hashes | new
            text = msgspec.json.encode(Suppressed(check=_check(key), hashes=sorted(whole)))
            staged = write_file(root / FOLDER / f"{FILE}.part", text)
            staged.chmod(0o600)
            replace(staged, root / FOLDER / FILE)
        return cls(key, whole)

    def holds(self, kind: str, values: pa.Array | pa.ChunkedArray) -> pa.Array:
        """Say of each value of a kind, text or numbers, whether it is on the list; null is not."""
        if not self._hashes:
            return pa.repeat(pa.scalar(False), len(values))
        texts = values.cast(pa.string()).to_pylist()
        begun = _begun(self._key, kind)  # once: the values are millions
        return pa.array(
            [text is not None and _ended(begun, text) in self._hashes for text in texts], pa.bool_()
        )

    def holds_each(self, kinds: pa.Array | pa.ChunkedArray, values: pa.Array | pa.ChunkedArray) -> pa.Array:
        """Do as `holds` for values that each have a kind of their own."""
        if not self._hashes:
            return pa.repeat(pa.scalar(False), len(values))
        pairs = zip(kinds.cast(pa.string()).to_pylist(), values.cast(pa.string()).to_pylist(), strict=True)
        return pa.array([None not in pair and self._has(*map(str, pair)) for pair in pairs], pa.bool_())

    @property
    def digest(self) -> str:
        """Name what is on the list, to tell it from what was on it; empty for an empty one."""
        return sha256("".join(sorted(self._hashes)).encode()).hexdigest()[:16] if self._hashes else ""

    def _has(self, kind: str, value: str) -> bool:
        return hashed(self._key, kind, value) in self._hashes


def hashed(key: str, kind: str, value: str) -> str:
    """Hash one person's name; without the key nobody can try values against it.

    A kind counts in the spelling of a column: an identifier `customer-id` is the key `customer_id`.
    """
    return _ended(_begun(key, kind), value)


def _begun(key: str, kind: str) -> blake2b:
    start = f"{column_name(kind)}\x1f".encode("utf-8", "surrogatepass")
    return blake2b(start, key=_secret(key), digest_size=HASH_BYTES)


def _ended(begun: blake2b, value: str) -> str:
    whole = begun.copy()
    whole.update(value.encode("utf-8", "surrogatepass"))
    return whole.hexdigest()


def _check(key: str) -> str:
    return blake2b(b"check", key=_secret(key), digest_size=HASH_BYTES).hexdigest()


def _secret(key: str) -> bytes:
    return blake2b(key.encode(), person=b"suppression").digest()


def require_key(key: str) -> None:
    """Refuse a key that is missing, or that somebody who has hashes could try."""
    if len(key) < LEAST_KEY:
        raise ConfigurationError(
            f"{KEY_SETTING} is not set, or shorter than {LEAST_KEY} characters: make one with python -c "
            "'import secrets; print(secrets.token_hex(32))', put it into .env, and keep it: without it "
            "nobody can tell later who was erased, or make the same pseudonyms again"
        )


def _read(root: Path) -> Suppressed | None:
    path = root / FOLDER / FILE
    try:
        return msgspec.json.decode(path.read_bytes(), type=Suppressed)
    except FileNotFoundError:
        return None
    except UNREADABLE as error:
        raise LakeError(f"{path} is damaged: restore it, or people who were erased come back") from error
