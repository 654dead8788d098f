"""A command in a pseudo-terminal, as a person has it before them."""

import os
import select
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

OWN_TERMINAL = "import os, sys; os.login_tty(0); os.execv(sys.executable, [sys.executable, *sys.argv[1:]])"
SECONDS = 60.0


class Terminal:
    """Runs Python with these arguments; `shown` is all that the terminal has shown so far."""

    def __init__(self, arguments: Sequence[str], *, cwd: Path, env: Mapping[str, str]) -> None:
        self._person, program = os.openpty()
        self.shown = ""
        command = [sys.executable, "-c", OWN_TERMINAL, *arguments]
        self._process = subprocess.Popen(command, cwd=cwd, env=env, stdin=program)
        os.close(program)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._person)

    def until(self, text: str) -> str:
        """Wait until a text is shown; give all."""
        while text not in self.shown:
            assert self._read(), f"it ended without {text!r}: {self.shown}"
        return self.shown

    def type(self, keys: str) -> None:
        """Press keys, or paste them."""
        os.write(self._person, keys.encode())

    def end(self) -> int:
        """Wait until the command has ended; give its exit code."""
        while self._read():
            pass
        return self._process.wait(SECONDS)

    def _read(self) -> bool:
        late = time.monotonic() + SECONDS
        ready, _, _ = select.select([self._person], [], [], max(late - time.monotonic(), 0.0))
        assert ready, f"nothing more is shown: {self.shown}"
        try:
            shown = os.read(self._person, 65_536)
        except OSError:  # how Linux says that the other side is closed
            return False
        self.shown += shown.decode(errors="replace").replace("\r\n", "\n")
        return bool(shown)
