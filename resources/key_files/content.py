"""A digest of what files hold, whatever they are called and however they are packed."""

import hashlib
from collections.abc import Iterator

import pyarrow as pa

from resources.key_files.place import File

BLOCK_BYTES = 1 << 20
COMPRESSIONS = {".gz": "gzip", ".zst": "zstd", ".bz2": "bz2"}


class Content:
    """The digest of files one after the other; `version` after each can be continued from later."""

    def __init__(self, version: str = "") -> None:
        self.version = version

    def blocks(self, file: File, compression: str | None) -> Iterator[bytes]:
        """Yield a file's content, unpacked; it counts when all of it was taken."""
        digest = hashlib.sha256()
        with file.stream(compression) as stream:
            while block := stream.read(BLOCK_BYTES):
                digest.update(block)
                yield block
        self.version = hashlib.sha256(f"{self.version}{digest.hexdigest()}".encode()).hexdigest()

    def add(self, file: File) -> None:
        """Read a file for its digest only; one that cannot be unpacked counts as it is stored."""
        try:
            self._read(file, compression_of(file))
        except (pa.ArrowException, OSError):
            self._read(file, None)

    def _read(self, file: File, compression: str | None) -> None:
        for _ in self.blocks(file, compression):
            pass


def compression_of(file: File) -> str | None:
    """Tell the compression by the ending."""
    name = file.path.lower()
    return next((codec for ending, codec in COMPRESSIONS.items() if name.endswith(ending)), None)
