"""An event loop whose clock jumps to the next timer: hours pass in a moment, and each run is the same."""

import asyncio
import selectors
from collections.abc import Coroutine, Mapping
from typing import TypeVar

T = TypeVar("T")


class _Impatient(selectors.BaseSelector):
    """Waits for nothing: the time that it should wait has passed."""

    def __init__(self) -> None:
        self.now = 0.0
        self._real = selectors.DefaultSelector()

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self.now += max(0.0, timeout or 0.0)
        return self._real.select(0)

    def register(self, fileobj: object, events: int, data: object = None) -> selectors.SelectorKey:
        return self._real.register(fileobj, events, data)  # type: ignore[arg-type]

    def unregister(self, fileobj: object) -> selectors.SelectorKey:
        return self._real.unregister(fileobj)  # type: ignore[arg-type]

    def get_map(self) -> Mapping[object, selectors.SelectorKey]:
        return self._real.get_map()  # type: ignore[return-value]

    def close(self) -> None:
        self._real.close()


class _Loop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._clock = _Impatient()
        super().__init__(self._clock)

    def time(self) -> float:
        return self._clock.now


def run(work: Coroutine[object, object, T]) -> T:
    """Run a coroutine to its end in time that passes by itself."""
    with asyncio.Runner(loop_factory=_Loop) as runner:
        return runner.run(work)
