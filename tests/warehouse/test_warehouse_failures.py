"""A load that fails in any way leaves the rows and the stamps of before, and the next one succeeds."""

import os
import signal
from collections.abc import Iterator
from dataclasses import replace

import pyarrow as pa
import pytest

from resources.errors import (
    AccountingError,
    ConfigurationError,
    LakeError,
    ServerUnavailable,
    ValueMisfit,
    WarehouseError,
)
from resources.warehouse.loading import Partition
from tests.databases import execute
from tests.forks import CONTEXT
from tests.warehouse.warehouse_numbers import BATCH_ROWS, NUMBERS, OTHERS, batches, load_number, loaded_number
from tests.warehouse.warehouse_targets import Batches, Target, load

OLD, NEW = 5, 3 * BATCH_ROWS


@pytest.fixture
def loaded(target: Target) -> Target:
    load(target, [NUMBERS, OTHERS], [batches(OLD), batches(OLD)], rows=OLD)
    return target


def failing(error: BaseException, *, after: int = 2) -> Iterator[pa.RecordBatch]:
    """Give some batches and raise."""
    for number, batch in enumerate(batches(NEW)):
        if number == after:
            raise error
        yield batch


def require_as_before_and_load(loaded: Target, stamps: list[tuple[object, ...]]) -> None:
    assert loaded_number(loaded) == loaded_number(loaded, "others") == OLD
    assert loaded.stamps() == stamps
    load_number(loaded, NEW, generation=2)
    assert loaded_number(loaded) == NEW


@pytest.mark.parametrize("after", [0, 2])
def test_what_the_reader_raises_in_mid_stream_is_raised(loaded: Target, after: int) -> None:
    stamps = loaded.stamps()
    for error in (ValueMisfit("odd"), OSError("odd"), KeyboardInterrupt(), SystemExit()):
        with pytest.raises(type(error)) as raised:
            load(loaded, [NUMBERS], [failing(error, after=after)], generation=2)
        assert raised.value is error
        assert loaded_number(loaded) == OLD
    require_as_before_and_load(loaded, stamps)


def test_of_several_tables_the_first_is_as_before_if_the_last_fails(loaded: Target) -> None:
    stamps = loaded.stamps()
    with pytest.raises(LakeError):
        load(loaded, [OTHERS, NUMBERS], [batches(NEW), failing(LakeError("odd"))], generation=2)
    require_as_before_and_load(loaded, stamps)


def test_a_count_that_is_not_the_manifests_is_refused(loaded: Target) -> None:
    stamps = loaded.stamps()
    for published in (0, OLD, NEW - 1, NEW + 1):
        said = f"numbers date=2026-11-22: {NEW:,} rows were handed over, {published:,} were published"
        with pytest.raises(AccountingError, match=f"{said}, and {NEW:,} arrived"):
            load(loaded, [NUMBERS], [batches(NEW)], generation=2, rows=published)
        assert loaded_number(loaded) == OLD
    require_as_before_and_load(loaded, stamps)


SWALLOWING = """
CREATE FUNCTION swallow() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN IF NEW.place = 3 THEN RETURN NULL; END IF; RETURN NEW; END $$
"""


def test_rows_that_the_database_swallows_are_missed_although_nothing_says_how_many_there_are(
    postgresql_schema: Target,
) -> None:
    load_number(postgresql_schema, 2)
    trigger = "CREATE TRIGGER swallows BEFORE INSERT ON numbers FOR EACH ROW EXECUTE FUNCTION swallow()"
    postgresql_schema.execute(SWALLOWING, trigger)
    with pytest.raises(AccountingError, match="5 rows were handed over, and 4 arrived; the warehouse keeps"):
        load(postgresql_schema, [NUMBERS], [batches(5)], generation=2)
    assert loaded_number(postgresql_schema) == 2


def test_a_first_load_that_fails_leaves_nothing_that_is_taken_for_loaded(target: Target) -> None:
    with pytest.raises(LakeError):
        load(target, [NUMBERS], [failing(LakeError("odd"))])
    assert loaded_number(target) == 0
    assert target.stamps() == []
    load_number(target, OLD)
    assert loaded_number(target) == OLD


def test_a_connection_that_is_lost_in_mid_load_is_named_and_a_matter_of_time(
    postgresql_schema: Target,
) -> None:
    load(postgresql_schema, [NUMBERS, OTHERS], [batches(OLD), batches(OLD)], rows=OLD)
    stamps = postgresql_schema.stamps()

    def cut() -> Iterator[pa.RecordBatch]:
        for batch in batches(NEW):
            yield batch
            ours = "application_name = 'targetdata run run-lost'"
            execute(
                postgresql_schema.uri, f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {ours}"
            )

    with pytest.raises(ServerUnavailable, match="the load of numbers date=2026-11-22 was interrupted"):
        load(postgresql_schema, [NUMBERS], [cut()], generation=2, run="run-lost")
    require_as_before_and_load(postgresql_schema, stamps)


def die_in_mid_load(uri: str, after: int) -> None:
    load(Target(uri), [OTHERS, NUMBERS], [batches(NEW), dying(after)], generation=2, run="run-2")


def dying(after: int) -> Batches:
    for number, batch in enumerate(batches(NEW)):
        if number == after:
            os.kill(os.getpid(), signal.SIGKILL)
        yield batch


def test_a_process_that_is_killed_in_mid_load_leaves_the_rows_of_before(loaded: Target) -> None:
    stamps = loaded.stamps()
    killed = CONTEXT.Process(target=die_in_mid_load, args=(loaded.uri, 2))
    killed.start()
    killed.join()
    assert killed.exitcode == -signal.SIGKILL
    require_as_before_and_load(loaded, stamps)


def test_a_whole_is_not_loaded_into_a_table_of_partitions(loaded: Target) -> None:
    stamps = loaded.stamps()
    with pytest.raises(ConfigurationError, match="numbers has partitions, and what is loaded is none"):
        load(loaded, [NUMBERS], [batches(3)], partition=Partition("", None), generation=2)
    require_as_before_and_load(loaded, stamps)


def test_a_partition_is_not_loaded_into_a_table_without(target: Target) -> None:
    whole = replace(OTHERS, partition=None)
    load(target, [whole], [batches(3)], partition=Partition("", None))
    with pytest.raises(ConfigurationError, match="others has no partitions, and what is loaded is one"):
        load(target, [whole], [batches(4)])
    assert loaded_number(target, "others") == 3


def test_a_file_beside_which_no_lock_can_be_made_is_named(duckdb_file: Target) -> None:
    duckdb_file.file.with_name("warehouse.duckdb.lock").mkdir()
    with pytest.raises(
        WarehouseError, match=r"warehouse.duckdb cannot be locked beside it \(Is a directory\)"
    ):
        load_number(duckdb_file, OLD)
