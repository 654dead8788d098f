"""Runs of Dagster around the provocations, and others: cancelled, checked, with frames, with a drift."""

import logging
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import dagster as dg
import pandas as pd
import pyarrow as pa
from graphql import print_schema

from pipelines.checks import extract_checks
from pipelines.checks.drift import drift_check
from pipelines.environment import environment
from pipelines.extraction import Extraction
from resources import failures
from resources.feed import Feed, read_key_file
from resources.graphql_resource import GraphQLResource
from resources.lake import Lake, LakeIOManager
from resources.targetdata import TargetDataResource
from tests.provocations.bench import (
    PROVOKED,
    QUERY,
    SCHEMA,
    UMID,
    Bench,
    Provocation,
    api,
    faults,
    mark,
    telling,
)

KINDS: dict[str, list[str]] = {}  # of errors, by provocation
WORDS: dict[str, list[str]] = {}  # of errors, by kind: what a person reads


def assets(folder: Path, keys: pa.Table) -> Iterator[dg.AssetsDefinition]:
    """Make an asset of each provocation."""
    for provocation in {id(each): each for kinds in PROVOKED.values() for each in kinds}.values():
        yield asset_of(provocation, folder, keys)


def asset_of(provocation: Provocation, folder: Path, keys: pa.Table) -> dg.AssetsDefinition:
    """Make an asset that provokes."""

    @dg.asset(name=provocation.__name__, description=provocation.__doc__)
    def provoking(context: dg.AssetExecutionContext) -> None:
        bench = Bench(context, folder, keys)
        with seen(provocation.__name__), failures.named_failures(context.instance, context.run.run_id):
            with faults(telling=f" {said(keys)}"):
                provocation(bench)

    return provoking


@contextmanager
def seen(name: str) -> Iterator[None]:
    """Take note of the kinds in the chain of an error, and log all of it as a notebook would show it."""
    try:
        yield
    except (dg.Failure, dg.RetryRequested) as error:
        logging.getLogger("notebook").debug("%r", error, exc_info=True)
        cause: BaseException | None = error
        while cause:
            KINDS.setdefault(name, []).append(type(cause).__name__)
            WORDS.setdefault(type(cause).__name__, []).append(str(cause))
            logging.getLogger("notebook").debug("%s %s %r", cause, getattr(cause, "details", ""), cause)
            cause = cause.__cause__
        raise


def said(keys: pa.Table) -> str:
    """Write what a page quotes."""
    return f"{mark('page')} {os.environ['TARGETDATA_REFRESH_TOKEN']} {keys['umid'][0]}"


class Careless(Exception):
    """What a library may raise."""


@dg.asset(description=mark("control-snapshot"))
def careless(context: dg.AssetExecutionContext) -> None:
    """Leak into each place that is searched: what is searched for must be found there."""
    context.log.debug(mark("control-log"))
    sys.stderr.write(mark("control-printed") + "\n")
    logging.getLogger("library").debug(mark("control-logging"))
    context.instance.add_run_tags(context.run.run_id, {"control": f"{mark('control-tag')}!"})
    raise dg.Failure(
        "careless", metadata={"leak": mark("control-metadata")}, allow_retries=False
    ) from Careless(mark("control-cause"))


def run(
    made: Sequence[dg.AssetsDefinition | dg.AssetChecksDefinition],
    instance: dg.DagsterInstance,
    *,
    selection: dg.AssetSelection | None = None,
    **resources: object,
) -> dg.ExecuteInProcessResult:
    """Run assets and checks, whatever fails."""
    return dg.materialize(
        made, instance=instance, resources=resources, selection=selection, raise_on_error=False
    )


def cancelled(folder: Path, keys: pa.Table, instance: dg.DagsterInstance) -> str:
    """Run an extract that is interrupted when some of it is staged."""

    def interrupted(bench: Bench) -> None:
        bench.lake = Lake(path=str(environment().lake))  # for `targetdata gc`
        bench.extract(then=lambda: terminate(bench.context))

    def terminate(context: dg.AssetExecutionContext) -> None:
        context.instance.report_run_canceling(context.run)  # as the UI does
        os.kill(os.getpid(), signal.SIGINT)

    with suppress(BaseException):
        run([asset_of(interrupted, folder, keys)], instance)
    return instance.get_runs(limit=1)[0].status.value


def checked(folder: Path, keys: pa.Table, instance: dg.DagsterInstance) -> list[bool]:
    """Publish some keys with one that failed, and check the partition; then damage it and check again."""

    @dg.asset
    def profiles(context: dg.AssetExecutionContext, lake: Lake) -> None:
        bench = Bench(context, folder, keys)
        with faults(alias_errors={bench.key: -1}, **telling(bench)):
            with api() as found, Extraction(context, lake, QUERY, max_failed=1).partition(None) as opened:
                for page in found.pages(QUERY, keys=keys, resume=opened.resume):
                    opened.write(page)

    lake = Lake(path=str(folder / "lake" / "checked"))
    checks = extract_checks(profiles, QUERY)
    good = run([profiles, *checks], instance, lake=lake)
    path = lake.root / "profiles__lookups" / "part-00000.parquet"
    path.write_bytes(path.read_bytes()[:-20])
    bad = run([profiles, *checks], instance, selection=dg.AssetSelection.checks(*checks), lake=lake)
    return [found.passed for done in (good, bad) for found in done.get_asset_check_evaluations()]


def frames(folder: Path, instance: dg.DagsterInstance) -> None:
    """Return frames that do not fit."""

    @dg.asset
    def mixed() -> pd.DataFrame:
        return pd.DataFrame({"value": [mark("in-a-frame"), 1]})

    @dg.asset(metadata={"dagster/column_schema": dg.TableSchema([dg.TableColumn("value", "int64")])})
    def inexact() -> pa.Table:
        return pa.table({"value": [827_034_001.5]})

    manager = LakeIOManager(path=str(folder / "lake" / "frames"))
    run([mixed, inexact], instance, io_manager=manager)


def drifted(url: str, folder: Path, instance: dg.DagsterInstance) -> list[bool]:
    """Compare the schema with a server that says what it likes."""

    @dg.asset
    def profiles() -> None: ...

    (folder / "schema.graphql").write_text(print_schema(SCHEMA))
    check = drift_check(profiles, QUERY, schema_file=folder / "schema.graphql", resource="telling")
    token = dg.EnvVar("TARGETDATA_REFRESH_TOKEN")
    done = run([profiles, check], instance, telling=TargetDataResource(base_url=url, refresh_token=token))
    return [found.passed for found in done.get_asset_check_evaluations()]


def shown(folder: Path, instance: dg.DagsterInstance) -> None:
    """Print what a notebook would show."""

    @dg.asset
    def showing(context: dg.AssetExecutionContext) -> None:
        lake = Lake(path=str(folder / "lake" / "shown"))
        keys = read_key_file(str(next((folder / "feed").glob("events-*"))), columns=UMID)
        extraction = Extraction(context, lake, QUERY)
        feed = Feed(pattern=f"s3://{mark('key')}:{mark('secret')}@bucket/{{date}}.jsonl", columns=UMID)
        other = GraphQLResource(
            url="https://api.example.com",
            bearer_token=mark("in-a-bearer"),
            headers={"X-Key": mark("headers")},
            headers_json=mark("json"),
        )
        with api() as targetdata, extraction.range() as days:
            grouped = days.grouped({"": keys.keys})
            for page in targetdata.pages(QUERY, keys=grouped, resume=days.resume):
                days.write(page)
                print(repr(page), page)
            for thing in (
                *(
                    targetdata,
                    targetdata.client,
                    targetdata.client.settings,
                    environment(),
                    lake,
                    feed,
                    other,
                ),
                *(days, days.tally, days.resume, days.partitions, extraction, keys, grouped, QUERY),
            ):
                print(repr(thing), thing)

    assert run([showing], instance).success
