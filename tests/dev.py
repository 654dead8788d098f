"""Dagster's UI on port 3000: with the account that `.env` names, else with the sandbox beside it."""

import os
import re
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from dotenv import dotenv_values

from tests.local import FOLDER, ROOT, local_account

ACCOUNT = re.compile(r"TARGETDATA_(\w+_)?BASE_URL")  # one of several has its name in it
HOST, PORT = "127.0.0.1", os.environ.get("PORT", "3000")


def main() -> int:
    """Run `dagster dev` until it ends or is interrupted."""
    if is_taken(int(PORT)):
        print(f"Port {PORT} is in use: end what runs there, or make dev PORT=3001", file=sys.stderr)
        return 1
    with ExitStack() as stack:
        environment: dict[str, str] = {}
        folder = ROOT
        if not names_account():
            sandbox, environment = stack.enter_context(local_account())
            folder = FOLDER  # Dagster lets an .env win over the environment, and here is none
            settings = stack.enter_context(settings_for_a_shell(FOLDER, environment))
            print(
                f"No account in .env: using the sandbox at {sandbox.url}, data in {FOLDER.relative_to(ROOT)}/"
                f"\nTo run commands with it, in another shell first: . {settings.relative_to(ROOT)}"
            )
        print(f"Dagster's UI: http://localhost:{PORT}  (Ctrl-C ends it)", flush=True)
        # Where it is ignored, as in a script's background, Dagster would ignore SIGTERM with it.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        dagster = Path(sys.executable).with_name("dagster")
        process = subprocess.Popen(
            [dagster, "dev", "--workspace", ROOT / "workspace.yaml", "--host", HOST, "--port", PORT],
            cwd=folder,
            env={"PYTHONWARNINGS": "ignore:Function `dev_command` is superseded"} | os.environ | environment,
        )
        signal.signal(signal.SIGTERM, lambda *_: process.terminate())
        return wait(process)


@contextmanager
def settings_for_a_shell(folder: Path, environment: dict[str, str]) -> Iterator[Path]:
    """Write the settings as a file that a shell reads; it is there as long as what they name."""
    path = folder / "settings.sh"
    lines = (f"export {name}={shlex.quote(value)}\n" for name, value in environment.items())
    path.write_text("".join(lines), encoding="utf-8")
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)


def is_taken(port: int) -> bool:
    """Say whether something listens on the port already."""
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0


def names_account() -> bool:
    """Say whether `.env` or the environment names an account."""
    settings = dotenv_values(ROOT / ".env") | dict(os.environ)
    return any(value and ACCOUNT.fullmatch(name) for name, value in settings.items())


def wait(process: "subprocess.Popen[bytes]") -> int:
    """Wait for the process; Ctrl-C reaches it too, so it only has to be waited for again."""
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            continue


if __name__ == "__main__":
    sys.exit(main())
