"""Draws the picture anew: python -m tests.architecture"""

from tests.architecture.drawing import draw
from tests.architecture.rooms import ROOT

PICTURE = ROOT / "docs" / "architecture.svg"

if __name__ == "__main__":
    PICTURE.write_text(draw(), encoding="utf-8")
