"""Draws the rooms of the code as boxes in rows, and the imports between them as arrows, in SVG."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from textwrap import wrap

from tests.architecture.rooms import BESIDE, BOTTOM, TOP, Code, Room, needed, read

WIDTH, MARGIN, GAP, BETWEEN = 1160, 24, 14, 34
TITLE, LINE, PAD = 22, 15, 11
WIDEST, WIDEST_LIST = 300, 760
CHARACTER = 6.6  # pixels of a letter of the small text, at most
TINTS = {TOP: ("#eef3fd", "#c9d8f5", "#27457f"), BOTTOM: ("#eef7f0", "#c4e2cc", "#1f5b37")}
ARROW = "#8b97a8"
HEAD = "Who imports whom: from above to below, never back"
BESIDE_HEAD = "Drawn from the code. An arrow that follows from others is left out; some pass behind a box."
STYLE = f"""text{{font:12px -apple-system,'Segoe UI',Roboto,Arial,sans-serif;fill:#3b4656}}
.title{{font-size:14px;font-weight:600}} .figure{{font-size:11px;fill:#7a8596}}
.side{{font-size:15px;font-weight:700}} .head{{font-size:17px;font-weight:700;fill:#1d2530}}
path{{fill:none;stroke:{ARROW};stroke-width:1.3;marker-end:url(#tip)}}"""

Arrow = tuple[str, str]


@dataclass(slots=True)
class Box:
    """A room with its place in the picture."""

    room: Room
    x: float
    y: float
    width: float
    height: float = 0.0

    @property
    def lines(self) -> list[str]:
        """What the room says, in lines that fit."""
        return wrap(self.room.says, int((self.width - 2 * PAD) / CHARACTER))

    @property
    def place(self) -> tuple[float, float]:
        """By what arrows to it are sorted."""
        return self.x, self.y

    @property
    def middle(self) -> float:
        """Where its middle is, from the left."""
        return self.x + self.width / 2


def draw() -> str:
    """Draw the picture as SVG."""
    code = read()
    arrows = list(needed(code.imports))
    boxes = _placed(code, arrows)
    parts = list(_arrows(boxes, arrows))
    for box in boxes.values():
        parts += _box(box)
    return _page(list(boxes.values()), parts)


def _placed(code: Code, arrows: Sequence[Arrow]) -> dict[str, Box]:
    """Give all boxes by their rooms' names, row by row."""
    boxes: dict[str, Box] = {}
    y, side = 62.0, ""
    for row in code.rows:
        if row[0].side != side:
            side = row[0].side
            y += 30
        placed = _row(_ordered(row, boxes, arrows), y)
        boxes |= {box.room.name: box for box in placed}
        y += placed[0].height + BETWEEN
    return boxes


def _ordered(row: Sequence[Room], above: Mapping[str, Box], arrows: Sequence[Arrow]) -> list[Room]:
    """Put each room below those that import it, as far as the others let it."""

    def middle(room: Room) -> tuple[float, str]:
        over = [above[name].middle for name, found in arrows if found == room.name and name in above]
        return (sum(over) / len(over) if over else WIDTH / 2, room.name)

    return sorted(row, key=middle)


def _row(row: Sequence[Room], y: float) -> list[Box]:
    """Spread rooms over the width, and give all the height of the one with most to say."""
    share = (WIDTH - 4 * MARGIN + GAP) / len(row)
    boxes = []
    for number, room in enumerate(row):
        width = min(share - GAP, WIDEST_LIST if room.name == BESIDE else WIDEST)
        x = 2 * MARGIN - GAP / 2 + share * (number + 0.5) - width / 2
        boxes.append(Box(room, round(x, 1), round(y, 1), round(width, 1)))
    height = max(2 * PAD + TITLE + LINE * len(box.lines) for box in boxes)
    for box in boxes:
        box.height = height
    return boxes


def _arrows(boxes: Mapping[str, Box], arrows: Sequence[Arrow]) -> Iterator[str]:
    pairs = [(boxes[name], boxes[found]) for name, found in arrows]
    for upper, lower in pairs:
        leaving = sorted(found.place for box, found in pairs if box is upper)
        coming = sorted(box.place for box, found in pairs if found is lower)
        x1 = _port(upper, leaving.index(lower.place), len(leaving))
        x2 = _port(lower, coming.index(upper.place), len(coming))
        y1, y2 = upper.y + upper.height, lower.y - 5
        bend = min(60.0, (y2 - y1) / 2 + 8)
        ways = f"{x1:.1f} {y1 + bend:.1f} {x2:.1f} {y2 - bend:.1f} {x2:.1f} {y2:.1f}"
        yield f'<path d="M{x1:.1f} {y1:.1f} C{ways}"/>'


def _port(box: Box, number: int, of: int) -> float:
    """Spread the arrows of a box over the middle of its edge."""
    return box.x + box.width * (0.5 + 0.6 * ((number + 1) / (of + 1) - 0.5))


def _box(box: Box) -> Iterator[str]:
    _, border, ink = TINTS[box.room.side]
    x, y = box.x + PAD, box.y + PAD
    yield (
        f'<rect x="{box.x}" y="{box.y}" width="{box.width}" height="{box.height}" rx="7" fill="#ffffff" '
        f'stroke="{border}" stroke-width="1.5"/>'
    )
    yield f'<text class="title" x="{x}" y="{y + 13}" style="fill:{ink}">{escape(box.room.title)}</text>'
    right = box.x + box.width - PAD
    yield f'<text class="figure" x="{right}" y="{y + 13}" text-anchor="end">{box.room.figure}</text>'
    for number, line in enumerate(box.lines):
        yield f'<text x="{x}" y="{y + TITLE + 11 + LINE * number}">{escape(line)}</text>'


def _band(side: str, boxes: Sequence[Box]) -> str:
    tint, border, ink = TINTS[side]
    top, end = boxes[0].y - 36, max(box.y + box.height for box in boxes) + 12
    return (
        f'<rect x="{MARGIN}" y="{top}" width="{WIDTH - 2 * MARGIN}" height="{end - top}" rx="10" '
        f'fill="{tint}" stroke="{border}"/>'
        f'<text class="side" x="{MARGIN + 14}" y="{top + 23}" style="fill:{ink}">{side}/</text>'
    )


def _page(boxes: Sequence[Box], parts: Sequence[str]) -> str:
    height = max(box.y + box.height for box in boxes) + MARGIN + 12
    bands = [_band(side, [box for box in boxes if box.room.side == side]) for side in TINTS]
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}">',
            f"<title>{HEAD}</title>",
            f"<style>{STYLE}</style>",
            '<defs><marker id="tip" viewBox="0 0 8 8" refX="6" refY="4" markerWidth="7" markerHeight="7" '
            f'orient="auto"><polygon points="0,0 8,4 0,8" fill="{ARROW}"/></marker></defs>',
            f'<rect width="{WIDTH}" height="{height}" rx="12" fill="#ffffff"/>',
            f'<text class="head" x="{MARGIN}" y="38">{HEAD}</text>',
            f'<text x="{WIDTH - MARGIN}" y="38" text-anchor="end">{BESIDE_HEAD}</text>',
            *bands,
            *parts,
            "</svg>\n",
        ]
    )
