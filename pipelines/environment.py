"""The settings of the account: TARGETDATA_* variables."""

from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, field_validator

from pipelines.root import from_root
from pipelines.setting_types import FailureLimit, FileFromRoot, Owners, PatternFromRoot, ScalarWords
from pipelines.variables import PREFIX, api_limits, read_settings, value
from resources.account import TargetDataConnection
from resources.errors import ConfigurationError
from resources.key_files.columns import named_columns
from resources.privacy import TestProfiles
from resources.schema_changes import SchemaChanges


class Environment(BaseModel):
    """The pipelines' settings; each is the variable TARGETDATA_ and its name in capitals."""

    model_config = ConfigDict(frozen=True, validate_default=True, hide_input_in_errors=True)

    account: str = Field(
        "",
        description="Which of several accounts this process is of; see docs/accounts.md.",
    )
    base_url: str = Field("", description="The account, for example https://targetdata.test.teavaro.systems.")
    refresh_token_file: str = Field("", description="A file that holds the refresh token, a mounted secret.")
    refresh_token_keyring: str = Field(
        "", description="A service in the system's keyring that holds it; `targetdata login --keyring`."
    )
    lake: FileFromRoot = Field(Path("data/lake"), description="The folder that the tables are written to.")
    feed: PatternFromRoot = Field(
        "data/feed/events-{date}.jsonl.gz",
        repr=False,  # the URI of a store may hold its credentials
        description="A day's event files: path or URI with `{date}` or `{date:%Y/%m/%d}`, `*` and `**`.",
    )
    feed_column: str = Field(
        "umid", description="Which column or field of the events holds the key; several as `name=column,…`."
    )
    feed_late_seconds: float = Field(
        1800.0, gt=0, description="While a day's file is missing, how long to wait before looking again."
    )
    feed_days: int = Field(
        3, ge=1, description="So many days back the sensor `feed_arrived` looks for files."
    )
    keys_uri: str = Field(
        "", repr=False, description="A database to take the keys from instead of the feed, as a URI."
    )
    keys_query: str = Field(
        "", description="The query, or its .sql file; `$1` and `$2` are the partition's bounds."
    )
    schema_file: FileFromRoot = Field(
        Path("pipelines/schema.graphql"), description="The account's schema, as `schema pull` writes it."
    )
    scalars: ScalarWords = Field(
        default_factory=dict,
        description="What scalars are kept as, for example `Money=decimal(18,2),BigInt=text`: docs/types.md.",
    )
    start_date: date = Field(date(2026, 1, 1), description="The first partition.")
    timezone: str = Field("UTC", description="When a partition's day begins, for example Europe/Berlin.")
    schedule_hour: int = Field(5, ge=0, le=23, description="Hour of the schedule, in that time zone.")
    schedule_minute: int = Field(0, ge=0, le=59, description="Minute of the schedule, after that hour.")
    partitions_per_run: int = Field(
        1, ge=0, description="Partitions in one run of a backfill; 0 puts all of them into one."
    )
    max_failed: FailureLimit = Field(
        0,
        description="Keys of a partition that may fail without stopping it: a number, or a share as in 0.5%.",
    )
    schema_changes: SchemaChanges = Field(
        SchemaChanges.FROZEN,
        description="If the columns change: `frozen` stops, `additive` lets new ones in; see docs/schema.md.",
    )
    wide_attributes: str = Field(
        "",
        description="Attributes that are columns of `profiles_wide`, as in `city, visits_30d=int64`.",
    )
    wide_permissions: str = Field("CS-OM, CS-NBA", description="The same for permissions.")
    wide_identifiers: str = Field(
        "umid, customer-id, gaid, idfa, ttdId, gclid", description="The same for identifiers."
    )
    wide_fields: str = Field(
        "", description="What a list's fields hold, if it cannot be told: `attributes=key:text:changed`."
    )

    warehouse: str = Field(
        "data/warehouse.duckdb",
        repr=False,
        description="The database that is loaded: a DuckDB file, or a URI as `postgresql://…`; "
        "docs/warehouse.md.",
    )
    warehouse_schema: str = Field(
        "",
        description="The SQL schema of its tables; of several accounts, by default, each one's name.",
    )
    warehouse_wait_seconds: float = Field(
        600.0, gt=0, description="How long a load waits for others that write the same."
    )
    pseudonymise: str = Field(
        "",
        description="Texts that become pseudonyms, as in `owner, identifiers.value`; see docs/privacy.md.",
    )
    test_profiles: TestProfiles = Field(
        TestProfiles.KEEP, description="Test profiles: `keep` them, or `exclude` them from the tables."
    )
    only_permission: str = Field(
        "", description="Only profiles with this permission are kept, as in `CS-OM=GRANTED`."
    )

    refresh_days: float = Field(
        30.0, gt=0, description="A profile that nobody has asked for in so many days is asked again."
    )
    refresh_share: float = Field(
        0.05, gt=0, le=1, description="At most this share of all known profiles is asked again a day."
    )
    retention_days: int | None = Field(
        None, ge=1, description="Days that partitions are kept after their end; see docs/retention.md."
    )
    budget_requests: int | None = Field(
        None, gt=0, description="Requests that a planned backfill may need; see docs/plan.md."
    )
    owners: Owners = Field(
        default_factory=list,
        description="Owners of the assets: mail addresses and teams, as in `team:data, jane@example.com`.",
    )

    @property
    def key_prefix(self) -> list[str]:
        """What stands before the name in an asset's key: the account, where there are several."""
        return [self.account] if self.account else []

    @property
    def pool(self) -> str:
        """The pool of this account's extractions."""
        return "_".join(["targetdata", *self.key_prefix])

    @property
    def scheduled_after(self) -> timedelta:
        """The time from midnight to the schedule."""
        return timedelta(hours=self.schedule_hour, minutes=self.schedule_minute)

    @property
    def namespace(self) -> str:
        """The SQL schema of the warehouse's tables; empty for the connection's own."""
        return self.warehouse_schema or self.account

    @field_validator("warehouse")
    @classmethod
    def _warehouse_uri(cls, place: str) -> str:
        if "://" in place:
            return place
        return f"duckdb://{quote(str(from_root(place)))}"

    @field_validator("lake", mode="before")
    @classmethod
    def _no_store(cls, place: object) -> object:
        if "://" in str(place):  # as a path it would be a folder of the checkout
            raise ValueError("a lake is a folder on a local disk; object stores are not supported")
        return place

    @field_validator("feed_column")
    @classmethod
    def _columns_apart(cls, text: str) -> str:
        try:
            named_columns(text.split(","), ["umid"])
        except ConfigurationError as error:
            raise ValueError(str(error)) from None
        return text

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError):
            raise ValueError("no such time zone; it should look like Europe/Berlin") from None
        return name

    @property
    def key_columns(self) -> dict[str, str]:
        """The columns of `profile_keys`, and where the feed or the query has them."""
        return named_columns(self.feed_column.split(","), ["umid"])


@cache
def environment() -> Environment:
    """Read the settings of the pipelines."""
    return read_settings(Environment, PREFIX)


def targetdata_resource() -> TargetDataConnection:
    """Connect to the account that the environment names, outside of Dagster."""
    return TargetDataConnection(**account(value("refresh_token", PREFIX)))


def account(refresh_token: str) -> dict[str, Any]:
    """Give the fields of a connection to the account."""
    settings = environment()
    return {
        "base_url": settings.base_url,
        "refresh_token": refresh_token,
        "refresh_token_file": settings.refresh_token_file,
        "refresh_token_keyring": settings.refresh_token_keyring,
        **api_limits(PREFIX),
    }
