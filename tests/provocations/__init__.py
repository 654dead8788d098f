"""Every error of the tree, provoked: PROVOKED says by what."""

from tests.provocations import by_files, by_server, by_warehouse
from tests.provocations.bench import BASES, PROVOKED
from tests.provocations.commands import CODES

__all__ = ["BASES", "CODES", "PROVOKED", "by_files", "by_server", "by_warehouse"]
