"""The engine without Dagster: a query and a file of keys in, a Parquet file out, with a progress bar."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from pipelines.loading import loading
from pipelines.progress import describe
from resources.connection import Connection
from resources.errors import ColumnMissing, ConfigurationError
from resources.graphql.columns import snake_case
from resources.graphql.page import MaxFailed, Tally
from resources.graphql.plan import Keyed, check_variables
from resources.graphql.query import Query
from resources.key_files import FeedKeys, read_key_file
from resources.key_files.columns import named_columns
from resources.privacy import Screen
from resources.table_file import TableFile, replace, writing_errors


def extract_to_file(
    query: Query,
    *,
    keys: str | None,
    key_columns: Sequence[str],
    variables: Mapping[str, object],
    out: Path,
    resource: Connection,
    max_failed: MaxFailed,
    screen: Screen,
) -> dict[str, object]:
    """Run a query and write its tables: rows to `out`, others beside it, as lookups to `<out>__lookups`.

    Says what it does on standard error, and gives the figures.
    """
    check_variables(query.name, query.plan, variables)
    console = Console(stderr=True)
    asked = _keys(query, keys, key_columns, console)
    left, withheld = screen.left(asked)
    try:
        with _files(query, out, screen.says) as files, _bar(console, query.name) as bar:
            tally = Tally()
            tally.withhold(withheld)
            task = bar.add_task(query.name, total=asked.num_rows if asked is not None else None, what="")
            with loading():  # the network's libraries, at the first use of the connection
                pages = resource.pages(query, keys=left, variables=variables)
            for page in map(screen.page, pages):
                tally.add(page)
                for name, table in page.tables.items():
                    files[name].write(table)
                rate = tally.asked / max(bar.tasks[task].elapsed or 0.0, 0.001)
                total = tally.total if tally.total is not None else tally.list_total
                bar.update(task, total=total, completed=tally.asked, what=describe(tally, rate))
            tally.check(max_failed=max_failed)
    finally:
        resource.close()
    for name, target in _targets(query, out).items():
        console.print(f"{target}: {files[name].rows:,} rows")
    for note in tally.notes:
        console.print(f"Warning: {note}", style="yellow", soft_wrap=True)
    _summary(console, tally)
    targets = {name: str(path) for name, path in _targets(query, out).items()}
    return {"files": targets, "rows": {name: file.rows for name, file in files.items()}} | _facts(tally)


def _keys(query: Query, keys: str | None, columns: Sequence[str], console: Console) -> pa.Table | None:
    """Read the keys, and say what was not one."""
    if not isinstance(query.plan, Keyed):
        if keys is not None:
            raise ConfigurationError(f"{query.name} reads a list: it takes no --keys")
        return None
    if keys is None:
        names = ", ".join(query.plan.key_names)
        raise ConfigurationError(f"{query.name} looks up by {names}: name a file with --keys")
    found = _read(keys, query.plan, columns)
    console.print(
        f"{found.keys.num_rows:,} keys in {found.events:,} rows of {keys}: {found.duplicate_keys:,} "
        f"duplicates and {found.null_keys:,} without a key are dropped",
        soft_wrap=True,
    )
    if not found.keys.num_rows:
        console.print("Warning: there are no keys; the tables will be empty", style="yellow")
    return found.keys


def _read(keys: str, plan: Keyed, columns: Sequence[str]) -> FeedKeys:
    """Read the key columns that are named, or those named as the variables are, in either spelling."""
    names = plan.key_names
    require = "any" if plan.kinds else "all"
    if columns:
        named = {snake_case(name): column for name, column in named_columns(columns, names).items()}
        if sorted(named) != sorted(names):
            shown = " ".join(f"--key-column {name}=COLUMN" for name in names)
            raise ConfigurationError(f"the key has the columns {', '.join(names)}: name them with {shown}")
        return read_key_file(keys, columns={name: named[name] for name in names}, require=require)
    spelled = list(plan.kinds) or [key.variable.name.value for key in plan.keys]
    try:
        return read_key_file(keys, columns=dict(zip(names, spelled, strict=True)), require=require)
    except ColumnMissing:
        if spelled == names:
            raise
        return read_key_file(keys, columns={name: name for name in names}, require=require)


@contextmanager
def _files(query: Query, out: Path, privacy: str) -> Iterator[dict[str, TableFile]]:
    """Open the files aside; put them in place when all of them are whole, or leave nothing."""
    _require_no_folder(out)
    targets = _targets(query, out)
    aside = {name: target.with_name(f".{target.name}.{os.getpid()}") for name, target in targets.items()}
    files: dict[str, TableFile] = {}
    footer = {"query": query.hash} | ({"privacy": privacy} if privacy else {})
    try:
        with writing_errors(str(out), setting="--out"):
            out.parent.mkdir(parents=True, exist_ok=True)
            for name, schema in query.tables.items():
                _require_no_folder(targets[name])
                files[name] = TableFile(aside[name], schema, footer)
        yield files
        with writing_errors(str(out), setting="--out"):
            for file in files.values():
                file.close()
                file.verify()
            for name, file in reversed(files.items()):
                replace(file.path, targets[name])
    finally:
        for file in files.values():
            file.discard()
            file.path.unlink(missing_ok=True)


def _require_no_folder(target: Path) -> None:
    if target.is_dir():
        raise ConfigurationError(f"{target} is a folder; name a file with --out")


def _targets(query: Query, out: Path) -> dict[str, Path]:
    """Name the file of each table: `out`, and `out` with the table's suffix."""
    return {
        name: out.with_name(out.stem + name.removeprefix(query.name) + out.suffix) for name in query.tables
    }


def _bar(console: Console, name: str) -> Progress:
    return Progress(
        SpinnerColumn(),
        TextColumn(name),
        BarColumn(),
        TextColumn("{task.fields[what]}"),
        TimeElapsedColumn(),
        console=console,
    )


def _facts(tally: Tally) -> dict[str, object]:
    counts = tally.counts
    keyed = {"not_found": tally.not_found, "failed": tally.failed} if tally.total is not None else {}
    return {
        "asked": tally.asked,
        "found": tally.found,
        **keyed,
        "filtered": tally.filtered,
        "suppressed": tally.suppressed,
        "requests": counts.requests,
        "bytes": counts.bytes,
        "token_renewals": counts.renewals,
        "retries": {kind: number for kind, number in sorted(counts.retries.items()) if number},
        "notes": list(tally.notes),
    }


def _summary(console: Console, tally: Tally) -> None:
    counts = tally.counts
    if tally.total is not None:
        filtered = f"{tally.filtered:,} filtered + " if tally.filtered else ""
        suppressed = f" + {tally.suppressed:,} suppressed" if tally.suppressed else ""
        console.print(
            f"{tally.asked:,} keys asked = {tally.found:,} found + {filtered}{tally.not_found:,} not found + "
            f"{tally.failed:,} failed{suppressed}"
        )
    elif tally.filtered or tally.suppressed:
        console.print(
            f"{tally.asked:,} rows came = {tally.found:,} kept + {tally.filtered:,} filtered + "
            f"{tally.suppressed:,} suppressed"
        )
    retries = ", ".join(f"{number} {kind}" for kind, number in sorted(counts.retries.items()) if number)
    console.print(
        f"{counts.requests:,} requests, {counts.bytes:,} bytes, {counts.renewals} token renewals, "
        f"retries: {retries or 'none'}"
    )
