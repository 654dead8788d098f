"""A picture of a page, packed smaller than the browser does: flat areas need no prediction of pixels."""

import base64
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Page

SIGNATURE = b"\x89PNG\r\n\x1a\n"
RGB = (8, 2, 0, 0, 0)  # bits of a colour, its kind, and three zeros that the format prescribes
PIXELS = """async data => {
    const image = new Image();
    image.src = 'data:image/png;base64,' + data;
    await image.decode();
    const canvas = new OffscreenCanvas(image.width, image.height).getContext('2d');
    canvas.drawImage(image, 0, 0);
    const pixels = canvas.getImageData(0, 0, image.width, image.height).data;
    const parts = [];
    for (let at = 0; at < pixels.length; at += 30000)
        parts.push(btoa(String.fromCharCode(...pixels.subarray(at, at + 30000))));
    return [image.width, image.height, parts];
}"""


def save(blank: Page, png: bytes, file: Path) -> None:
    """Write a picture; `blank` is an empty page, which unpacks it."""
    width, height, parts = blank.evaluate(PIXELS, base64.b64encode(png).decode())
    pixels = b"".join(map(base64.b64decode, parts))
    rgb = bytearray(width * height * 3)
    for colour in range(3):
        rgb[colour::3] = pixels[colour::4]
    rows = b"".join(b"\0" + rgb[at : at + width * 3] for at in range(0, len(rgb), width * 3))
    file.write_bytes(SIGNATURE + b"".join(_chunks(width, height, rows)))


def _chunks(width: int, height: int, rows: bytes) -> Iterator[bytes]:
    header = struct.pack(">IIBBBBB", width, height, *RGB)
    for kind, data in ((b"IHDR", header), (b"IDAT", zlib.compress(rows, 9)), (b"IEND", b"")):
        yield struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
