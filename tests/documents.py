"""What a page of documentation holds to be executed: its blocks and its commands."""

import re
from pathlib import Path

BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
INSTALLED = ".venv/bin/"


def blocks(page: Path, language: str) -> list[str]:
    """Give the texts of a page's blocks in one language."""
    return [text for kind, text in BLOCK.findall(page.read_text(encoding="utf-8")) if kind == language]


def commands(page: Path) -> list[str]:
    """Give the commands of the installation, without its path."""
    lines = [line for text in blocks(page, "sh") for line in text.splitlines()]
    return [line.removeprefix(INSTALLED) for line in lines if line.startswith(INSTALLED)]
