"""All errors of the project, named after what to do about them.

ExtractionError
├── PersonNeeded               a person has to act; nothing retries
│   ├── ConfigurationError     mend a setting (address, certificate, limit, file name)
│   ├── TokenRefused           make a new offline refresh token
│   ├── QueryError             mend the query or pull the schema again
│   ├── ValueMisfit            a value does not fit the type that the schema gives it
│   ├── SchemaChanged          let new columns in, or begin another table
│   ├── FeedError              mend the feed or its query: broken line, missing table
│   │   └── ColumnMissing      name another column
│   ├── LakeError              make the lake writable, or mend what is in it
│   │   └── PartitionMissing   materialize it first
│   ├── WarehouseError         mend what is in the warehouse, or its rights
│   ├── Fenced                 nothing: another run has the partition, or this one was cancelled
│   ├── OverBudget             ask for less, or allow more
│   ├── TooManyFailed          look at the failed keys, or allow more of them
│   └── AccountingError        keys or rows do not add up: report it, nothing was published
├── TryLater                   the same run may succeed after `after_seconds`
│   ├── FeedMissing            the feed's file has not arrived
│   ├── LakeBusy               another process holds the partition
│   ├── WarehouseBusy          another process holds the warehouse's file or the partition
│   ├── ErasedMeanwhile        people were put on the suppression list while it ran
│   └── ServerUnavailable      the server went on failing
└── Attempt                    one request failed; handled inside the engine, seldom seen outside
    ├── Unauthorized           renew the access token, same query again
    ├── Throttled              wait, all together
    ├── Unavailable            wait with backoff
    └── Refused                split the batch; alone, it is the key's own error

Messages say what happened and what to do next. They never hold a token, a key or a profile's value, nor do
the details, which Dagster keeps in its database.
"""

from collections.abc import Mapping
from types import MappingProxyType

NO_DETAILS: Mapping[str, object] = MappingProxyType({})


class ExtractionError(Exception):
    """Base of all errors that the project raises on purpose.

    `details` are plain JSON values and paths for whoever looks into it, such as failed keys by code.
    """

    def __init__(self, message: str = "", *, details: Mapping[str, object] = NO_DETAILS) -> None:
        super().__init__(message)
        self.details = dict(details)


class PersonNeeded(ExtractionError):
    """A person has to act; no retry helps."""


class ConfigurationError(PersonNeeded):
    """A setting is missing or wrong."""


class TokenRefused(PersonNeeded):
    """The server refuses the refresh token, or the access tokens made from it."""


class QueryError(PersonNeeded):
    """A document does not fit the schema, is not supported, or is refused by the server."""


class ValueMisfit(PersonNeeded):
    """A value in an answer does not fit the type that the schema gives it."""


class SchemaChanged(PersonNeeded):
    """A table would get other columns than it has, and the policy does not let them pass."""


class FeedError(PersonNeeded):
    """The feed is there but cannot be read as configured."""


class ColumnMissing(FeedError):
    """The feed has no such column."""


class LakeError(PersonNeeded):
    """The lake cannot be written, or holds something else than expected."""


class PartitionMissing(LakeError):
    """What is to be read has not been materialized."""


class WarehouseError(PersonNeeded):
    """The warehouse refuses a statement or a value, or holds something else than expected."""


class Fenced(PersonNeeded):
    """Another run has the partition, or this one was cancelled: nothing to do, and nothing is published."""


class OverBudget(PersonNeeded):
    """It would ask the API for more than the budget allows; nothing was asked."""


class TooManyFailed(PersonNeeded):
    """More keys failed than the extract allows."""


class AccountingError(PersonNeeded):
    """What was asked, answered and written does not add up."""


class TryLater(ExtractionError):
    """The same run may succeed later."""

    def __init__(
        self, message: str, *, after_seconds: float, details: Mapping[str, object] = NO_DETAILS
    ) -> None:
        super().__init__(message, details=details)
        self.after_seconds = after_seconds


class FeedMissing(TryLater):
    """No file of the feed is there for the day: it may be late."""


class LakeBusy(TryLater):
    """Another process holds the partition that is to be claimed or published."""


class WarehouseBusy(TryLater):
    """Another process holds the warehouse's file, or loads the same partition."""


class ErasedMeanwhile(TryLater):
    """People were put on the suppression list while a run had them: it is to begin again without them."""


class ServerUnavailable(TryLater):
    """The server went on failing until attempts or time ran out."""


class Attempt(ExtractionError):
    """One request failed; `attempts` and `seconds` say how often, and how long, it was tried in all."""

    kind = "attempt"
    attempts = 0
    seconds = 0.0


class Unauthorized(Attempt):
    """The access token was not accepted; `in_answer`: so says a GraphQL error, not the status."""

    kind = "unauthorized"

    def __init__(self, message: str, *, in_answer: bool = False) -> None:
        super().__init__(message)
        self.in_answer = in_answer


class Throttled(Attempt):
    """The server asks to slow down; `after_seconds` is its own word, if it gave one."""

    kind = "throttled"

    def __init__(self, message: str, *, after_seconds: float | None = None) -> None:
        super().__init__(message)
        self.after_seconds = after_seconds


class Unavailable(Attempt):
    """A 5xx, a broken connection, a truncated answer or one that is not GraphQL.

    `unreachable`: no connection came about. `timed_out`: the answer did not come in time.
    """

    kind = "unavailable"

    def __init__(
        self,
        message: str,
        *,
        unreachable: bool = False,
        timed_out: bool = False,
    ) -> None:
        super().__init__(message)
        self.unreachable = unreachable
        self.timed_out = timed_out


class Refused(Attempt):
    """The server refuses the document as a whole."""

    kind = "refused"
