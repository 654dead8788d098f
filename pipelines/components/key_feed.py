"""`KeyFeed`: an asset of keys, from files by day or from a database."""

import re
from typing import Annotated, ClassVar, Literal

import dagster as dg
from pydantic import Field

from pipelines.components.component import AssetOptions, ComponentOptions, Name, Number, YamlComponent
from pipelines.components.given import Given
from pipelines.defs.daily import BACKFILL, DAILY
from pipelines.environment import environment
from pipelines.feed_keys import publish_keys, source_name
from pipelines.lineage import table_metadata
from pipelines.root import pattern_from_root, shown
from resources.feed import Feed, KeySource, SqlKeys
from resources.key_files.place import expanded
from resources.lake import Lake
from resources.lake.declared import COLUMN_SCHEMA

VARIABLE = r"^[A-Za-z_][A-Za-z0-9_]*$"
PLACES = ("files", "files_variable", "uri_variable")


class KeyFeedOptions(AssetOptions):
    """The options of a KeyFeed."""

    name: Name | None = Field(None, description="The asset and its table; by default the folder's name.")
    files: str | None = Field(
        None, description="A day's files: path or URI with `{date}` or `{date:%Y/%m/%d}`, `*` and `**`."
    )
    files_variable: str | None = Field(
        None,
        pattern=VARIABLE,
        description="The environment variable that has `files`, where the URI is a secret.",
    )
    uri_variable: str | None = Field(
        None, pattern=VARIABLE, description="The environment variable that has a database's URI."
    )
    query: str | None = Field(
        None,
        description="The database's query, or its .sql file beside this one; `$1` and `$2` are the bounds.",
    )
    columns: dict[str, str] = Field(
        default_factory=lambda: {"umid": "umid"},
        min_length=1,
        description="Key columns, and where the files or the query have them.",
    )
    require: Literal["all", "any"] = Field(
        "all", description="A row counts if it has `all` key columns, or `any`."
    )
    late_seconds: Annotated[float, Field(gt=0), Number] = Field(
        1800.0, description="While a day's file is missing, how long to wait before looking again."
    )


class KeyFeed(YamlComponent[KeyFeedOptions]):
    """A day's keys, one row each: from files, or from a database's query."""

    options_model: ClassVar[type[ComponentOptions]] = KeyFeedOptions

    def define(self, given: Given) -> dg.Definitions:
        """Define the asset, what it reads, and the connection."""
        name = self.options.name or given.folder.name
        if not re.fullmatch(r"\w+", name, re.ASCII):
            raise given.error("name", reason=f"the folder's name, {name}, can be none of an asset: say one")
        source = self._source(given)
        return dg.Definitions(
            assets=[self._upstream(name), self._asset(name, source)],
            resources={source_name(name): source},
        )

    def _asset(self, name: str, source: KeySource) -> dg.AssetsDefinition:
        options, upstream = self.options, source_name(name)
        made_of = {column: [(upstream, there)] for column, there in options.columns.items()}

        @dg.asset(
            name=name,
            deps=[upstream],
            partitions_def=DAILY,
            backfill_policy=BACKFILL,
            kinds={"parquet"},
            required_resource_keys={upstream, "lake"},
            group_name=options.group or "targetdata",
            metadata={**table_metadata(name, source.schema, made_of), **options.retention},
            description=options.description or f"One row per {' and '.join(options.columns)} of the day.",
            owners=options.owners,
            tags=options.tags,
        )
        def keys(context: dg.AssetExecutionContext) -> None:
            feed: KeySource = getattr(context.resources, upstream)
            lake: Lake = context.resources.lake
            publish_keys(context, feed, lake, table=name)

        return keys

    def _upstream(self, name: str) -> dg.AssetSpec:
        """Name what the keys are read from."""
        columns = [dg.TableColumn(there, "string") for there in dict.fromkeys(self.options.columns.values())]
        row = "row of the query" if self.options.uri_variable else "event in a day's files"
        return dg.AssetSpec(
            source_name(name),
            description=f"One row per {row}: the columns that hold keys are read, and nothing else.",
            kinds={"sql" if self.options.uri_variable else "file"},
            group_name=self.options.group or "targetdata",
            metadata={COLUMN_SCHEMA: dg.TableSchema(columns)},
        )

    def _source(self, given: Given) -> KeySource:
        """Make what gives the keys; of a secret Dagster gets the variable's name only."""
        options = self.options
        set_ = [name for name in PLACES if getattr(options, name)]
        if len(set_) != 1:
            raise given.error(*set_[1:2], reason=f"say where the keys are with one of {', '.join(PLACES)}")
        if options.query and not options.uri_variable:
            raise given.error("query", reason="a query is for a database: name it with uri_variable")
        if options.uri_variable:
            return SqlKeys(
                uri=dg.EnvVar(options.uri_variable),
                query=self._query(given),
                columns=options.columns,
                require=options.require,
            )
        return Feed(
            pattern=dg.EnvVar(options.files_variable) if options.files_variable else self._pattern(given),
            columns=options.columns,
            require=options.require,
            late_seconds=options.late_seconds,
        )

    def _query(self, given: Given) -> str:
        """Give the query; one in a file is read when it is needed."""
        query = self.options.query
        if not query:
            raise given.error("query", reason="a database needs a query")
        if not query.endswith(".sql"):
            return query
        if not (given.folder / query).is_file():
            raise given.error("query", reason=f"there is no file {shown(given.folder / query)}")
        return str(given.folder / query)

    def _pattern(self, given: Given) -> str:
        """Give the pattern, from the checkout's folder on; a URI that may hold a secret is not taken."""
        pattern = self.options.files or ""
        with given.named("files"):
            expanded(pattern, environment().start_date)
        if "://" in pattern:
            given.require_no_secret("files", pattern, "name the variable that has it with files_variable")
        return pattern_from_root(pattern)
