"""(e) A disk that is full and a lake that may not be written: a clear error, the old tables untouched."""

import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from resources.lake import Lake
from tests.chaos.figures import show
from tests.chaos.victims import Order
from tests.lake_rows import everything
from tests.local import last_days
from tests.sandbox import Sandbox

ROOMY = "size=100m"


@pytest.fixture
def order(sandbox: Sandbox, tmp_path: Path) -> Order:
    keys = {str(day): sandbox.umids_of(day) for day in last_days(2)}
    return Order(sandbox.url, sandbox.refresh_token, str(tmp_path / "lake"), keys)


def failed(order: Order, tmp_path: Path) -> str:
    """Run an order that cannot be carried out; give what the run says of it."""
    run = order.start(said=str(tmp_path / "said"))
    run.join()
    assert run.exitcode == 1
    return (tmp_path / "said").read_text()


def done(order: Order) -> dict[str, bytes]:
    """Run an order; give all files that it has published."""
    run = order.start()
    run.join()
    assert run.exitcode == 0
    return everything(Lake(path=order.path))


def staged(order: Order) -> list[Path]:
    return [path for path in Path(order.path, "_staging").rglob("*") if path.is_file()]


@pytest.mark.journey
def test_a_file_that_cannot_grow_is_named_and_what_was_published_stays(order: Order, tmp_path: Path) -> None:
    before = done(order)
    largest = max(map(len, before.values()))
    sizes = [largest // 4, largest // 2, largest - 1]
    for most_bytes in sizes:
        said = failed(replace(order, most_bytes=most_bytes), tmp_path)
        assert "cannot be written: File too large" in said
        assert everything(Lake(path=order.path)) == before
    assert done(order).keys() == before.keys()
    assert not staged(order)
    show("files that cannot grow", bytes=sizes, largest_published=largest)


@pytest.fixture
def disk(order: Order) -> Iterator[Callable[[str], None]]:
    """Put the lake on a disk of its own, whose size and mode can be changed; root may do that."""
    Path(order.path).mkdir()

    def mount(*options: str) -> None:
        subprocess.run(["mount", *options, "tmpfs", order.path], check=True, capture_output=True)

    try:
        mount("-t", "tmpfs", "-o", ROOMY)
    except (subprocess.CalledProcessError, FileNotFoundError):
        pytest.skip("who runs this may not mount a disk")
    yield lambda options: mount("-o", f"remount,{options}")
    subprocess.run(["umount", "--lazy", order.path], check=True)


@pytest.mark.journey
def test_a_full_disk_is_named_wherever_it_is_met_and_what_was_published_stays(
    order: Order, disk: Callable[[str], None], tmp_path: Path
) -> None:
    before = done(order)
    used = sum(path.stat().st_blocks for path in Path(order.path).rglob("*")) // 2
    room = [8, 40, 100, 200]  # KiB, of which a whole run needs some 300
    for left in room:
        disk(f"size={used + left}k")
        assert "cannot be written: No space left on device" in failed(order, tmp_path)
        assert everything(Lake(path=order.path)) == before
    disk(ROOMY)
    assert done(order).keys() == before.keys()
    assert not staged(order)
    show("a full disk", kibibytes_left=room, kibibytes_used=used)


def test_a_lake_that_may_not_be_written_is_named_before_anything_is_asked(
    order: Order, disk: Callable[[str], None], sandbox: Sandbox, tmp_path: Path
) -> None:
    before = done(order)
    disk("ro")
    sandbox.clear()
    assert "cannot be written: Permission denied" in failed(order, tmp_path)
    assert sandbox.requests == []
    assert everything(Lake(path=order.path)) == before
    show("a read-only lake", requests=len(sandbox.requests))
