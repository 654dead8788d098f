"""The record of requests, to assert on."""

from collections import Counter
from dataclasses import dataclass, field


@dataclass
class Request:
    """One request: times are monotonic seconds; `answered` are the keys delivered whole and without error."""

    at: float
    method: str
    path: str
    done_at: float = 0.0
    status: int = 0
    fault: str | None = None
    keys: list[str] = field(default_factory=list)
    answered: list[str] = field(default_factory=list)
    aliases: int = 0
    token: str | None = None
    retry_after: float | None = None
    bytes: int = 0
    query: str = ""


@dataclass
class Record:
    """All requests since the start or the last `clear`."""

    requests: list[Request] = field(default_factory=list)
    in_flight: int = 0
    in_flight_peak: int = 0

    def start(self, request: Request) -> None:
        """Take in a request that has arrived."""
        self.requests.append(request)
        self.in_flight += 1
        self.in_flight_peak = max(self.in_flight_peak, self.in_flight)

    def clear(self) -> None:
        """Forget what came so far."""
        self.requests.clear()
        self.in_flight_peak = self.in_flight

    @property
    def answers(self) -> Counter[str]:
        """How often each key was answered."""
        return Counter(key for request in self.requests for key in request.answered)
