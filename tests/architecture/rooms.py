"""Reads the rooms of the code: packages and modules, their rows, and who imports whom."""

import ast
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import grimp

ROOT = Path(__file__).resolve().parents[2]
TOP, BOTTOM = "pipelines", "resources"
BESIDE = f"{TOP}.*"  # its modules that are no packages, as one room


@dataclass(frozen=True, slots=True)
class Room:
    """A package, or a module on its own, and what it says of itself."""

    name: str
    modules: int
    says: str

    @property
    def side(self) -> str:
        """Whose it is: of `pipelines/` or of `resources/`."""
        return self.name.partition(".")[0]

    @property
    def title(self) -> str:
        """Write its name as a reader finds it."""
        _, _, name = self.name.partition(".")
        return "beside them" if self.name == BESIDE else f"{name}/" if self.modules > 1 else f"{name}.py"

    @property
    def figure(self) -> str:
        """How many modules it has, where they are several."""
        return f"{self.modules} modules" if self.modules > 1 else ""


@dataclass(frozen=True, slots=True)
class Code:
    """The rooms by row from above, and the imports between them."""

    rows: list[list[Room]]
    imports: Mapping[str, set[str]]


def read() -> Code:
    """Read the rooms, their rows and their imports from the code."""
    graph = grimp.build_graph(TOP, BOTTOM)
    modules: dict[str, list[str]] = {}
    for name in sorted(graph.modules - {TOP, BOTTOM}):
        modules.setdefault(_room_of(name), []).append(name)
    imports: dict[str, set[str]] = {name: set() for name in modules}
    for room, names in modules.items():
        for name in names:
            imported = graph.find_modules_directly_imported_by(name) - {TOP, BOTTOM}
            imports[room] |= {_room_of(found) for found in imported} - {room}
    rooms = {name: Room(name, len(names), _said(name, names)) for name, names in modules.items()}
    rows = [*_rows_of_pipelines(imports), *_rows_of_resources(imports)]
    return Code([[rooms[name] for name in row] for row in rows], imports)


def _room_of(module: str) -> str:
    side, name, *_ = module.split(".")
    is_package = (ROOT / side / name).is_dir()
    return BESIDE if side == TOP and not is_package else f"{side}.{name}"


def _said(name: str, modules: Sequence[str]) -> str:
    if name == BESIDE:
        return ", ".join(module.rpartition(".")[2] for module in modules)
    path = ROOT / name.replace(".", "/")
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    said = ast.get_docstring(ast.parse(file.read_text("utf-8"))) or ""
    return said.partition("\n")[0].replace("`", "")


def _rows_of_pipelines(imports: Mapping[str, set[str]]) -> list[list[str]]:
    """Put what is imported below all that imports it; the modules beside the packages come last."""
    packages = sorted(name for name in imports if name.startswith(TOP) and name != BESIDE)
    depth = dict.fromkeys(packages, 0)
    for _ in packages:  # as long as the longest way can be
        for name in packages:
            for found in imports[name] & depth.keys():
                depth[found] = max(depth[found], depth[name] + 1)
    rows = [[name for name in packages if depth[name] == n] for n in range(max(depth.values()) + 1)]
    return [*filter(None, rows), [BESIDE]]


def _rows_of_resources(imports: Mapping[str, set[str]]) -> list[list[str]]:
    """Take the layers of pyproject.toml; a room that is in none is above all that it imports."""
    linter = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]
    (layers,) = [c["layers"] for c in linter["contracts"] if c["name"].startswith(f"Inside {BOTTOM}")]
    rows = [[name.strip() for name in layer.split("|")] for layer in layers]
    placed = {name: number for number, row in enumerate(rows) for name in row}
    for name in sorted(name for name in imports if name.startswith(BOTTOM) and name not in placed):
        rows[min(placed[found] for found in imports[name]) - 1].append(name)
    return rows


def needed(imports: Mapping[str, set[str]]) -> Iterator[tuple[str, str]]:
    """Give the imports that follow from no others, by pairs of rooms."""
    for name in sorted(imports):
        for found in sorted(imports[name]):
            others = imports[name] - {found}
            if not any(_reaches(other, found, imports) for other in others):
                yield name, found


def _reaches(name: str, found: str, imports: Mapping[str, set[str]]) -> bool:
    left, seen = [name], set()
    while left:
        room = left.pop()
        if room == found:
            return True
        if room not in seen:
            seen.add(room)
            left.extend(imports[room])
    return False
