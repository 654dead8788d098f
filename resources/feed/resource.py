"""The Dagster resource for a feed of files."""

from datetime import UTC, datetime, timedelta

from pydantic import Field

from resources.feed.keys import KeySource
from resources.key_files.keys import FeedKeys
from resources.key_files.place import File, expanded, matches, placed
from resources.key_files.reader import read_keys, read_sample

LATE = timedelta(days=2)  # after a day's end, a feed that has not come will not come by waiting


class Feed(KeySource):
    """Event files by day: the keys of a partition are the distinct ones of its day's files."""

    pattern: str = Field(
        repr=False,  # the URI of a store may hold its credentials
        description="Path or URI with {date} or {date:%Y/%m/%d}, * and **.",
    )
    late_seconds: float = Field(
        default=1800.0, description="While a file is missing, how long to wait for it."
    )

    def read(self, *, start: datetime, end: datetime) -> FeedKeys:
        """Read the files of the day that begins at `start`; raises FeedMissing while it may be late."""
        late = datetime.now(UTC) - end < LATE
        return read_keys(
            self.pattern,
            day=start,
            columns=self.columns,
            require=self.require,
            late_seconds=self.late_seconds if late else None,
        )

    def sample(self, file: File) -> FeedKeys:
        """Read the first events of a file, to see whether it can be read, and its columns are there."""
        return read_sample(file, columns=self.columns, require=self.require)

    def files(self, start: datetime) -> list[File]:
        """List the files of a day; none while it has not arrived."""
        return matches(placed(expanded(self.pattern, start)))
