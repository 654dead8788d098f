"""Ctrl-C while a library waits outside of Python, which hears of it only when that comes back."""

import os
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import typer

SECONDS = 5.0  # to wind up in, for what does hear it


@contextmanager
def ended_by_interrupt(says: str, code: int) -> Iterator[None]:
    """End the process if a Ctrl-C has not ended what runs inside within some seconds.

    Arrow's S3, for one, waits a minute and more for a store that never answers. So this is for commands that
    have nothing to finish.
    """
    heard, told = socket.socketpair()
    told.setblocking(False)
    ended = threading.Event()

    def watch() -> None:
        while signals := heard.recv(64):
            if signal.SIGINT in signals and not ended.wait(SECONDS):
                typer.echo(says, err=True)
                os._exit(code)

    before = signal.set_wakeup_fd(told.fileno(), warn_on_full_buffer=False)
    threading.Thread(target=watch, daemon=True).start()
    try:
        yield
    finally:
        ended.set()
        signal.set_wakeup_fd(before)
        told.close()
