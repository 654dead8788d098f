"""Where the checkout is, places that are said from there on, and how paths are shown."""

import glob
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def from_root(path: str | Path) -> Path:
    """Give a path from the checkout's folder on; one that is absolute, or begins with ~, stays its own."""
    return ROOT / Path(path).expanduser()


def pattern_from_root(pattern: str) -> str:
    """Give a pattern of files from the checkout's folder on; a URI and an absolute path stay as they are."""
    if "://" in pattern or pattern.startswith("~") or Path(pattern).is_absolute():
        return pattern
    return f"{glob.escape(str(ROOT))}/{pattern}"


def shown(path: Path) -> str:
    """Give a path as short as it can be."""
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)
