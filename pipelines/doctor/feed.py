"""Checks of where the keys come from: the newest day's files, or a database."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pyarrow as pa

from pipelines.connections import key_source
from pipelines.doctor.finding import Finding, ok, problem, warning
from pipelines.doctor.setup import Setup
from pipelines.doctor.whose import setting
from resources.errors import ConfigurationError
from resources.feed import Feed, SqlKeys
from resources.key_files.place import File

DAYS = 14  # to look back for the newest files
BLOCK_BYTES = 1 << 20


def feed(setup: Setup) -> Finding:
    """Look at the newest day that has keys: its files, and the first events in them."""
    source = key_source()
    if isinstance(source, SqlKeys):
        return _of_database(source, setup)
    if not isinstance(source, Feed):
        raise ConfigurationError("the keys come from no feed that is known here")
    return _of_files(source, setup)


def _of_files(source: Feed, setup: Setup) -> Finding:
    found = newest(source, setup)
    if found is None:
        return problem(
            f"there is no file of the last {DAYS} days",
            f"mend {setting('feed')}, or have the files delivered",
        )
    day, files = found
    size = sum(file.bytes for file in files)
    keys = source.sample(files[0])
    columns = ", ".join(setup.settings.key_columns.values())
    says = (
        f"{day:%Y-%m-%d} has {len(files)} file{'s' * (len(files) > 1)} of {size:,} bytes; the first "
        f"{keys.events:,} events have {keys.keys.num_rows:,} keys in {columns}"
    )
    if not keys.keys.num_rows:
        return warning(says, "look at the file, and at TARGETDATA_FEED_COLUMN: is it the right column?")
    if day < _midnight(setup) - timedelta(days=1):
        return warning(f"{says}; no day after it has any", "have the files of yesterday delivered")
    return ok(says)


def _of_database(source: SqlKeys, setup: Setup) -> Finding:
    today = _midnight(setup)
    keys = source.sample(start=today - timedelta(days=1), end=today)
    columns = ", ".join(keys.keys.column_names)
    says = f"the query works and gives {columns}; its first {keys.events:,} rows of yesterday have "
    says += f"{keys.keys.num_rows:,} keys"
    return (
        ok(says)
        if keys.keys.num_rows
        else warning(says, "look at TARGETDATA_KEYS_QUERY and its bounds $1, $2")
    )


def newest(source: Feed, setup: Setup) -> tuple[datetime, list[File]] | None:
    """Find the newest day that has files."""
    today = _midnight(setup)
    for back in range(DAYS):
        day = today - timedelta(days=back)
        if files := source.files(day):
            return day, files
    return None


def first_keys(setup: Setup) -> pa.Table | None:
    """Give a few keys of the newest day's files."""
    source = key_source()
    found = newest(source, setup) if isinstance(source, Feed) else None
    return source.sample(found[1][0]).keys if isinstance(source, Feed) and found else None


def _midnight(setup: Setup) -> datetime:
    now = datetime.now(ZoneInfo(setup.settings.timezone))
    return now.replace(hour=0, minute=0, second=0, microsecond=0)
