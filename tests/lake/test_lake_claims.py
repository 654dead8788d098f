"""Who may publish: the newest claim of a run that goes on, and nobody else meanwhile."""

import os
import shutil
import signal
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import dagster as dg
import pyarrow as pa
import pytest

from pipelines.publication import Publication
from resources.errors import Fenced, LakeBusy, LakeError
from resources.lake import Lake, LakeIOManager
from resources.lake.publishing.aside import Aside
from resources.lake.publishing.claim import Claims
from tests.crashing import child, publish_until
from tests.lake_rows import DAY, SCHEMAS, everything, hidden, publish, rows, seen

Report = Callable[[dg.DagsterInstance, dg.DagsterRun], object]


@pytest.fixture
def lake(memory: Path) -> Lake:
    return Lake(path=str(memory / "lake"))


def generation(lake: Lake) -> int:
    manifest = lake.manifest("people", DAY)
    assert manifest is not None
    return manifest.generation


def test_a_run_whose_partition_was_claimed_by_a_later_one_publishes_nothing(lake: Lake) -> None:
    with pytest.raises(Fenced, match="people date=2026-11-22 is claimed by run newer since"):
        with lake.write(DAY, SCHEMAS, run="zombie") as zombie:
            zombie.write(rows("a"))
            publish(lake, "b", run="newer")
    assert seen(lake) == "b"
    assert not hidden(lake, "_staging")


def test_a_run_can_find_early_that_another_has_the_partition(lake: Lake) -> None:
    with pytest.raises(Fenced, match="run newer"):
        with lake.write(DAY, SCHEMAS, run="zombie") as zombie:
            zombie.require_claim()
            with lake.write(DAY, SCHEMAS, run="newer"):
                zombie.require_claim()
    assert everything(lake) == {}


def test_an_earlier_attempt_of_the_same_run_is_fenced_out_too(lake: Lake) -> None:
    with pytest.raises(Fenced):
        with lake.write(DAY, SCHEMAS, run="run") as first:
            publish(lake, "b", run="run")
            first.write(rows("a"))
    assert seen(lake) == "b"


def test_a_run_that_is_cancelled_while_it_writes_publishes_nothing(lake: Lake) -> None:
    publish(lake, "a")
    before = everything(lake)
    cancelled: list[bool] = []
    with pytest.raises(Fenced, match="this run was cancelled or has failed: it publishes nothing of people"):
        with lake.write(DAY, SCHEMAS, run="run-2", is_cancelled=lambda: bool(cancelled)) as writer:
            writer.require_claim()
            writer.write(rows("b"))
            cancelled.append(True)
    assert everything(lake) == before
    assert not hidden(lake, "_staging")


def test_no_other_run_can_claim_or_publish_while_one_is_asked_whether_it_is_cancelled(lake: Lake) -> None:
    def is_cancelled() -> bool:
        with Claims(lake.root, "people", DAY).locked_at_once() as free:
            assert not free
        return False

    with lake.write(DAY, SCHEMAS, run="run", is_cancelled=is_cancelled) as writer:
        writer.write(rows("a"))
    assert seen(lake) == "a"


@pytest.mark.parametrize("ending", [signal.SIGCONT, signal.SIGKILL])
def test_one_that_hangs_while_it_publishes_is_waited_for_and_named(
    lake: Lake, ending: int, stack: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("resources.lake.publishing.claim.WAIT_SECONDS", 0.1)
    publish(lake, "a", run="old")
    process = child(lake, publish_until, "SIGSTOP", "b", run="hanging")
    stack.callback(process.kill)
    while not hidden(lake, "_commits"):
        assert process.is_alive()
    with pytest.raises(LakeBusy, match=r"last by run hanging\), which has held .*/people/date=.*lock"):
        publish(lake, "c", run="next")
    assert seen(lake) == "b", "it is committed, and read where it stands aside"
    assert process.pid
    os.kill(process.pid, ending)
    process.join()
    assert seen(lake) == "b"
    publish(lake, "c", run="next")
    assert (seen(lake), generation(lake)) == ("c", 3)


@pytest.mark.parametrize("lost", ["_claims", "_claims/people/date=2026-11-22/claim.json"])
def test_generations_go_on_where_the_claims_were_deleted(lake: Lake, lost: str) -> None:
    publish(lake, "a")
    publish(lake, "b")
    path = lake.root / lost
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    publish(lake, "c")
    assert (seen(lake), generation(lake)) == ("c", 3)


def test_claims_that_are_deleted_under_a_run_are_not_taken_for_its_own(lake: Lake) -> None:
    with pytest.raises(Fenced, match="claimed by somebody who deleted the claims"):
        with lake.write(DAY, SCHEMAS, run="run"):
            shutil.rmtree(lake.root / "_claims")


def test_a_damaged_claim_is_named_and_a_damaged_manifest_is_replaced(lake: Lake) -> None:
    publish(lake, "a")
    (claim,) = (lake.root / "_claims").rglob("claim.json")
    claim.write_bytes(b"")
    with pytest.raises(LakeError, match=r"claim.json is damaged: delete it"):
        publish(lake, "b")
    claim.unlink()
    (lake.root / "people" / DAY / "_manifest.json").write_bytes(b"{")
    with pytest.raises(LakeError, match=r"_manifest.json is damaged: run the partition again"):
        lake.manifest("people", DAY)
    publish(lake, "b")
    assert seen(lake) == "b"


STATUSES: dict[str, Report] = {
    "canceling": lambda instance, run: instance.report_run_canceling(run),
    "canceled": lambda instance, run: instance.report_run_canceled(run),
    "failed": lambda instance, run: instance.report_run_failed(run),
}


@pytest.mark.parametrize("returns", [True, False])
@pytest.mark.parametrize("status", STATUSES)
def test_a_run_that_dagster_has_as_ended_is_refused_although_it_goes_on(
    lake: Lake, status: str, returns: bool
) -> None:
    def ended(context: dg.AssetExecutionContext) -> None:
        STATUSES[status](context.instance, context.run)

    @dg.asset
    def people(context: dg.AssetExecutionContext) -> pa.Table:
        ended(context)
        return rows("a")["people"]

    @dg.asset(name="people")
    def writing(context: dg.AssetExecutionContext) -> None:
        with Publication(context, lake).partition(None, SCHEMAS) as partition:
            partition.writer.write(rows("a"))
            ended(context)

    with pytest.raises(dg.Failure, match="was cancelled or has failed: it publishes nothing") as failure:
        dg.materialize(
            [people if returns else writing], resources={"io_manager": LakeIOManager(path=lake.path)}
        )
    assert failure.value.allow_retries is False
    assert failure.value.metadata["error"].value == "Fenced"
    assert everything(lake) == {}


def test_a_partition_with_a_long_name_is_published_and_found(lake: Lake) -> None:
    folder = "partition=" + "a" * 240
    publish(lake, "a", folder=folder)
    publish(lake, "b", folder=folder[:-1] + "b")
    assert [seen(lake, folder), seen(lake, folder[:-1] + "b")] == ["a", "b"]


def test_files_are_opened_with_the_first_rows_and_held_from_then_on(lake: Lake) -> None:
    with lake.write(DAY, SCHEMAS, run="run") as writer:
        assert not hidden(lake, "_staging")
        writer.write(rows("a"))
        (folder,) = (lake.root / "_staging").glob("people/*")
        assert folder.name == f"{DAY}.publish-1-run"
        assert Aside.adopt(folder) is None
    assert not hidden(lake, "_staging")
