"""Probes: small documents that ask whether fields exist, and what the server has against them."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from resources.graphql.schema.pulling.complaints import Complaint, blamed, complaints

Ask = Callable[[str], Mapping[str, object]]

MOST_DOCUMENTS = 400
MOST_FIELDS = 80  # graphql-js and graphql-java stop after 100 errors
FEW_FIELDS = 8  # a document, where a server reports one error at a time
LONE_ERRORS = 3  # in a row: the server reports one error at a time
REPORT_EVERY = 25


class OutOfDocuments(Exception):
    """As many documents were sent as may be."""


class PlaceRefused(Exception):
    """The server refuses every selection at a place, for example because it is too deep."""


@dataclass(frozen=True, slots=True)
class Probe:
    """One field to ask for; `nested` with `{ __typename }` under it, which only an object takes."""

    name: str
    nested: bool = False
    arguments: str = ""
    variables: str = ""

    def __str__(self) -> str:
        """Write it as a line of a document."""
        return f"{self.name}{self.arguments}{' { __typename }' if self.nested else ''}"


Chain = tuple[Probe, ...]


class Prober:
    """Sends probes, never more than MOST_DOCUMENTS, and splits what is refused as a whole."""

    def __init__(self, ask: Ask, report: Callable[[str], None]) -> None:
        self._ask = ask
        self._report = report
        self._lone = 0
        self._reached: set[Chain] = set()
        self.sent = 0
        self.size = MOST_FIELDS
        self.last_refusal = ""

    @property
    def blind(self) -> bool:
        """Whether the server does not say which field it refuses, so that each is asked for alone."""
        return self.size == 1

    def refused(self, chain: Chain, probes: Sequence[Probe]) -> dict[str, tuple[str, ...]]:
        """Give the messages about each refused probe, by name; the others were accepted together."""
        found: dict[str, tuple[str, ...]] = {}
        waiting = self._groups(probes)
        while waiting:
            group = waiting.pop(0)
            against = self._send(chain, group)
            named = blamed(against, _lines(chain, group))
            if against and not named and len(group) == 1:
                named = {group[0].name: tuple(complaint.message for complaint in against)}
            found |= named
            rest = [probe for probe in group if probe.name not in named]
            if against and rest:
                waiting[:0] = self._again(chain, rest, against, named)
        return found

    def refused_alone(self, chain: Chain, probe: Probe) -> tuple[str, ...]:
        """Give all that the server has against a document with one probe."""
        return tuple(complaint.message for complaint in self._send(chain, [probe]))

    def _again(
        self, chain: Chain, rest: list[Probe], against: Sequence[Complaint], named: Collection[str]
    ) -> list[list[Probe]]:
        """Ask for the rest once more: whole if the culprits are out, halved if they are not known."""
        if not named:
            self._check(chain)
            self.size = min(self.size, max(1, len(rest) // 2))
            return self._groups(rest)
        self._lone = self._lone + 1 if len(against) == 1 else 0
        if self._lone >= LONE_ERRORS:
            self.size = min(self.size, FEW_FIELDS)
        return self._groups(rest)

    def _groups(self, probes: Sequence[Probe]) -> list[list[Probe]]:
        return [list(probes[i : i + self.size]) for i in range(0, len(probes), self.size)]

    def _check(self, chain: Chain) -> None:
        if chain in self._reached:
            return
        against = self._send(chain, [Probe("__typename")])
        if against:
            raise PlaceRefused(against[0].message)
        self._reached.add(chain)

    def _send(self, chain: Chain, probes: Sequence[Probe]) -> tuple[Complaint, ...]:
        if self.sent >= MOST_DOCUMENTS:
            raise OutOfDocuments
        self.sent += 1
        if self.sent % REPORT_EVERY == 0:
            self._report(f"{self.sent} documents sent, {MOST_DOCUMENTS} at most")
        against = complaints(self._ask(_document(chain, probes)))
        self.last_refusal = against[0].message if against else self.last_refusal
        return against


def _document(chain: Chain, probes: Sequence[Probe]) -> str:
    """Write a document with one field a line, so that a line names a field."""
    variables = ", ".join(probe.variables for probe in probes if probe.variables)
    opened = [f"query {f'({variables}) ' if variables else ''}{{", *(f"{step} {{" for step in chain)]
    return "\n".join([*opened, *map(str, probes), "}" * len(opened)])


def _lines(chain: Chain, probes: Sequence[Probe]) -> dict[int, str]:
    return {len(chain) + 2 + i: probe.name for i, probe in enumerate(probes)}
