"""python -m tests.sandbox: the sandbox on a port, with its feed and its faults."""

import argparse
import signal
import threading
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from tests.sandbox.faults import KINDS, Faults
from tests.sandbox.server import Sandbox

EPILOG = """Any switch of the faults can be changed while it runs, by name:
  curl -d '{"latency": 0.2, "every": 10, "kinds": ["429", "html"]}' http://127.0.0.1:8080/control
What was asked is at /control/requests."""


def parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    found = argparse.ArgumentParser(
        prog="python -m tests.sandbox",
        description="A look-alike of TargetData on loopback, with deterministic people and a feed of events.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = found.add_argument
    add("--port", type=int, default=8080, help="0 takes a free one (default: %(default)s)")
    add("--people", type=int, default=2000, help="(default: %(default)s)")
    add("--seed", type=int, default=7, help="the same seed makes the same people (default: %(default)s)")
    add("--variant", choices=["targetdata", "foreign", "lists"], default="targetdata")
    add("--feed", type=Path, metavar="DIR", help="write event extracts into this folder")
    add("--days", type=int, default=7, help="days of events (default: %(default)s)")
    add("--until", type=date.fromisoformat, metavar="DATE", help="the last day (default: yesterday, UTC)")
    add("--suffix", default=".jsonl.gz", help=".jsonl, .csv, with .gz or without (default: %(default)s)")
    add("--token-seconds", type=float, default=3600.0, help="life of an access token")
    add("--claimed-seconds", type=float, help="what the server says of it (default: the truth)")
    add("--every", type=int, default=0, metavar="N", help="each N-th answer is a fault")
    add("--share", type=float, default=0.0, help="or a random share of them, 0 to 1")
    add(
        "--kinds",
        nargs="+",
        default=[],
        metavar="KIND",
        choices=KINDS,
        help=f"kinds of fault, in turn: {', '.join(KINDS)}",
    )
    add("--retry-after", type=float, default=1.0, metavar="SECONDS")
    add("--latency", type=float, default=0.0, metavar="SECONDS")
    add("--max-aliases", type=int)
    add("--max-complexity", type=int)
    add("--requests-per-second", type=float)
    return found


def main() -> None:
    """Run until Ctrl-C or SIGTERM."""
    args = parser().parse_args()
    names = (
        "every",
        "share",
        "kinds",
        "retry_after",
        "latency",
        "max_aliases",
        "max_complexity",
        "requests_per_second",
    )
    faults = Faults(**{name: getattr(args, name) for name in names})
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with Sandbox(
        args.people,
        args.seed,
        args.variant,
        port=args.port,
        token_seconds=args.token_seconds,
        claimed_seconds=args.claimed_seconds,
        faults=faults,
    ) as sandbox:
        print(f"TARGETDATA_BASE_URL={sandbox.url}\nTARGETDATA_REFRESH_TOKEN={sandbox.refresh_token}")
        if args.feed:
            last = args.until or datetime.now(UTC).date() - timedelta(days=1)
            days = [last - timedelta(days=back) for back in range(args.days - 1, -1, -1)]
            sandbox.write_feed(args.feed, days, args.suffix)
            print(f"TARGETDATA_FEED={args.feed}/events-{{date}}{args.suffix}")
        print("Ctrl-C ends it.", flush=True)
        stop.wait()


if __name__ == "__main__":
    main()
