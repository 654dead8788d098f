"""A secret from a terminal: nothing of it is shown, and it may be as long as it likes."""

import os
import select
import sys
import termios
import tty

from resources.errors import ConfigurationError

PASTE_SECONDS = 0.1  # what follows a line's end within that time was pasted with it
CHUNK = 65_536
ENDS, CTRL_D, CTRL_U, ERASES = b"\r\n", 0x04, 0x15, b"\x08\x7f"


def read_hidden(prompt: str) -> str:
    """Ask at the terminal that is the standard input; Ctrl-C raises KeyboardInterrupt, Ctrl-D EOFError.

    It is read key by key: a terminal that gathers lines cuts them at 4096 characters, some at 1024.
    """
    terminal = sys.stdin.fileno()
    before = termios.tcgetattr(terminal)
    try:
        tty.setcbreak(terminal)
        if termios.tcgetattr(terminal)[3] & termios.ECHO:
            raise ConfigurationError("this terminal cannot hide what is typed: give it by standard input")
        sys.stderr.write(prompt)
        sys.stderr.flush()
        return _edited(_typed(terminal)).decode(errors="replace")
    finally:
        # What was pasted and not read is thrown away, or the shell would run it and keep it in its history.
        termios.tcsetattr(terminal, termios.TCSAFLUSH, before)
        sys.stderr.write("\n")


def _typed(terminal: int) -> bytes:
    typed = b""
    while chunk := os.read(terminal, CHUNK):
        typed += chunk
        if typed[-1] in ENDS and not select.select([terminal], [], [], PASTE_SECONDS)[0]:
            return typed
        if typed == bytes([CTRL_D]):
            break
    raise EOFError


def _edited(typed: bytes) -> bytes:
    """Do what the keys for deleting mean."""
    line = bytearray()
    for key in typed:
        if key in ERASES:
            del line[-1:]
        elif key == CTRL_U:
            line.clear()
        else:
            line.append(key)
    return bytes(line)
