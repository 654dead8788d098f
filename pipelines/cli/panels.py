"""The root command's help: commands by what they are for, the first steps, and the exit codes."""

from collections import defaultdict
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from typer.core import TyperGroup

SET_UP, EXTRACT, LOOK_AFTER = "Set up", "Extract", "Look after"
PANELS = (SET_UP, EXTRACT, LOOK_AFTER)
NO_PANEL = "Commands"  # of a command that has commands itself

FIRST_STEPS = """\b
First steps:
  targetdata login         takes the account's base URL and its refresh token into .env
  targetdata schema pull   fetches the account's schema
  targetdata doctor        says whether all is ready, and what to do
  make dev                 Dagster's UI, where partitions are run

\b
Exit codes:
  0    done
  1    a person is needed; the message says what to do
  2    the command is written wrong
  3    it would ask for more than the budget allows
  75   the same command may succeed later
  130  ended by Ctrl-C
"""


SENTENCE = 200  # characters of a command's first sentence, which is wrapped


class Formatter(Protocol):
    """What writes the help."""

    def section(self, name: str, /) -> AbstractContextManager[None]:
        """Open a section."""

    def write_dl(self, rows: Sequence[tuple[str, str]], /) -> None:
        """Write names, and a text beside each."""


class Panels(TyperGroup):
    """Lists the commands by their panels, which without rich markup would not be shown."""

    def format_commands(self, ctx: object, formatter: Formatter) -> None:
        """Write a section for each panel."""
        found: dict[str, list[tuple[str, str]]] = defaultdict(list)
        width = max(map(len, self.commands))
        for name, command in self.commands.items():
            panel = getattr(command, "rich_help_panel", None)
            said = command.get_short_help_str(SENTENCE)
            found[panel if panel in PANELS else NO_PANEL].append((name.ljust(width), said))
        for panel in filter(found.get, (*PANELS, NO_PANEL)):
            with formatter.section(panel):
                formatter.write_dl(found[panel])
