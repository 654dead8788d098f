"""The values that stand in a drafted document itself, and those that are still missing."""

from collections.abc import Callable, Iterator, Mapping

from graphql import ObjectValueNode, ValueNode

from resources.errors import QueryError
from resources.graphql.plan.arguments import DEPTH
from resources.graphql.schema.drafting.roots import Root
from resources.graphql.schema.drafting.slots import Slot, slots

AskForValue = Callable[[Slot, bool], str | None]  # a slot, and whether it may be a key instead


class Values:
    """Values of arguments, by the level of their field (0 is the root field) and the names to them."""

    def __init__(self, root: Root, given: Mapping[str, str]) -> None:
        self._steps = [(name, slots(field)) for name, field in zip(root.path, root.fields, strict=True)]
        self._last = len(self._steps) - 1
        self._fixed: dict[tuple[int, tuple[str, ...]], ValueNode] = {}
        self._slots = {(level, s.path): s for level, (_, of_step) in enumerate(self._steps) for s in of_step}
        for name, text in given.items():
            level, slot = self._find(name)
            self._fixed[level, slot.path] = slot.value(text)

    @property
    def names(self) -> set[str]:
        """The arguments of the last field that have a value."""
        return {".".join(path) for level, path in self._fixed if level == self._last}

    @property
    def fixed(self) -> list[tuple[Slot, ValueNode]]:
        """The places that have a value, and those inside of objects that do, with their values."""
        return [
            (self._slots[level, inner], value)
            for (level, path), node in self._fixed.items()
            for inner, value in _inside(path, node)
            if (level, inner) in self._slots
        ]

    def at(self, level: int) -> dict[tuple[str, ...], ValueNode]:
        """Give the values for one of the fields on the way."""
        return {path: value for (at, path), value in self._fixed.items() if at == level}

    def complete(self, root: Root, ask: AskForValue) -> None:
        """Ask for what is required and has no value; a key may stay one."""
        for level, slot in list(self._open(root)):
            if text := ask(slot, slot in root.keys):
                self._fixed[level, slot.path] = slot.value(text)

    def require_all(self, root: Root) -> None:
        """Refuse where a value is missing, and name it."""
        missing = [slot for _, slot in self._open(root) if slot not in root.keys]
        if missing:
            raise QueryError(
                f"{'.'.join(root.path)} needs values that only you know: "
                + ", ".join(slot.shown for slot in missing)
                + "; give them as in "
                + " ".join(f"--arg {'.'.join(slot.path)}=…" for slot in missing)
            )

    def _open(self, root: Root) -> Iterator[tuple[int, Slot]]:
        """Give what is required and neither has a value nor is filled by paging or a window."""
        filled = {slot.path for slot in (root.position, root.size, *(root.window or ())) if slot}
        for level, (_, of_step) in enumerate(self._steps):
            bound = set(self.at(level)) | (filled if level == self._last else set())
            opened = {path[:end] for path in bound for end in range(len(path))} | {()}
            for slot in of_step:
                given = any(slot.path[: end + 1] in bound for end in range(len(slot.path)))
                if slot.required and slot.path[:-1] in opened and slot.path not in opened and not given:
                    yield level, slot

    def _find(self, name: str) -> tuple[int, Slot]:
        """Find an argument by its name, with that of its field before it or not; the last field first."""
        for level, (step, of_step) in reversed(list(enumerate(self._steps))):
            for slot in of_step:
                own = ".".join(slot.path)
                if name in (own, f"{step}.{own}"):
                    return level, slot
        there = ", ".join(".".join(slot.path) for _, of_step in self._steps for slot in of_step)
        raise QueryError(f"there is no argument {name}; there are: {there or 'none'}")


def _inside(path: tuple[str, ...], node: ValueNode) -> Iterator[tuple[tuple[str, ...], ValueNode]]:
    """Give the values in an object, or the value itself where it is none."""
    if not isinstance(node, ObjectValueNode) or len(path) >= DEPTH:
        yield path, node
        return
    for field in node.fields:
        yield from _inside((*path, field.name.value), field.value)
