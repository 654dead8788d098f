"""Work that is counted, not timed: the same on a slow machine and a busy one."""

import sys
from collections import Counter
from types import CodeType, FrameType
from typing import Self

import sqlalchemy.event
from sqlalchemy.engine import Engine


class Counted:
    """Counts calls of Python functions in this thread, and SQL statements of all, within a `with`."""

    def __init__(self) -> None:
        self.statements = 0
        self._codes: Counter[CodeType] = Counter()

    @property
    def calls(self) -> int:
        """All calls."""
        return self._codes.total()

    def calls_of(self, function: str) -> int:
        """Those of functions with a name."""
        return sum(calls for code, calls in self._codes.items() if code.co_name == function)

    def __enter__(self) -> Self:
        """Begin."""
        sqlalchemy.event.listen(Engine, "before_cursor_execute", self._statement)
        sys.setprofile(self._event)
        return self

    def __exit__(self, *_: object) -> None:
        """End."""
        sys.setprofile(None)
        sqlalchemy.event.remove(Engine, "before_cursor_execute", self._statement)

    def _event(self, frame: FrameType, event: str, _: object) -> None:
        if event == "call":
            self._codes[frame.f_code] += 1

    def _statement(self, *_: object) -> None:
        self.statements += 1
