"""Commands, good ones and such that fail."""

import io
import sys
from pathlib import Path

from pipelines.cli import app
from pipelines.environment import environment
from resources.feed import read_key_file
from tests.provocations.bench import DOCUMENT, UMID, faults, mark

CODES = {
    "extract": 0,
    "extract, a key fails": 1,
    "extract, all fail": 1,
    "extract, a misfit": 1,
    "extract, refused": 1,
    "extract, a header": 1,
    "gc, dry": 0,
    "gc": 0,
    "diff": 0,
    "diff, down": 1,
    "login, refused": 1,
    "login, refused with words": 1,
    "login, down": 75,
}


def commands(folder: Path) -> dict[str, int]:
    """Run commands, good ones and such that fail; give their exit codes."""
    feed = str(next((folder / "feed").glob("events-*")))
    extract = ["extract", str(DOCUMENT), "--keys", feed, "--out", str(folder / "lake" / "out" / "p.parquet")]
    keys = read_key_file(feed, columns=UMID).keys["umid"].to_pylist()
    message = f"Unknown type {mark('complaint-8270341')} {keys[0]}"
    header = ["--url", environment().base_url, "--header", f"Authorization: Bearer {mark('header')}"]
    said = {"alias_error_message": message, "alias_error_code": mark("in-a-code")}
    log_in = ["login", "--base-url", environment().base_url]  # of none is anything stored
    orders: list[tuple[str, list[str], dict[str, object]]] = [
        ("extract", extract, {}),
        ("extract, a key fails", extract, {"alias_errors": {keys[0]: -1}, **said}),
        ("extract, all fail", extract, {"alias_errors": dict.fromkeys(keys, -1), "pathless": True, **said}),
        ("extract, a misfit", extract, {"field_overrides": {"value": [mark("in-a-text")]}}),
        ("extract, refused", extract, {"refuse_refresh": 400}),
        ("extract, a header", [*extract, *header], {}),
        ("gc, dry", ["gc", "--dry-run", "--json"], {}),
        ("gc", ["gc"], {}),
        ("diff", ["schema", "diff"], {}),
        ("diff, down", ["schema", "diff", "--json"], {"status": 403}),
        ("login, refused", log_in, {}),
        ("login, refused with words", log_in, {"refuse_refresh": 401}),
        ("login, down", log_in, {"token_every": 1, "token_kinds": ["html"]}),
    ]
    codes = {}
    for name, arguments, switches in orders:
        with faults(telling=mark("in-a-page"), **switches):
            codes[name] = _code(arguments)
    return codes


def _code(arguments: list[str]) -> int:
    sys.stdin = io.TextIOWrapper(io.BytesIO(f"{mark('pasted-token')}\n".encode()))
    try:
        app(arguments)
    except SystemExit as ended:
        return int(ended.code or 0)
    return 0
