"""How a partition is named where its folder is a part of a file's name."""

import hashlib

WHOLE = "all"  # of a table without partitions
LONGEST = 100  # of the 255 bytes that a file's name may have


def level_of(folder: str) -> str:
    """Name a partition by its folder; a long one is cut and gets a digest."""
    if len(folder) <= LONGEST:
        return folder or WHOLE
    return f"{folder[:LONGEST]}~{hashlib.sha256(folder.encode()).hexdigest()[:16]}"
