"""`GraphQLExtract`: the asset of the `.graphql` document beside a `defs.yaml`."""

import re
from pathlib import Path
from typing import Annotated, ClassVar, Literal

import dagster as dg
from pydantic import BeforeValidator, Field, field_validator

from pipelines.api import MARK, Api
from pipelines.checks import extract_checks
from pipelines.checks.drift import drift_check
from pipelines.components.asset import Policies, extract_asset, require_keys
from pipelines.components.component import AssetOptions, ComponentOptions, Number, YamlComponent
from pipelines.components.given import Given
from pipelines.environment import environment
from pipelines.needed import Need
from pipelines.plan.chosen import ChosenKeys
from pipelines.root import ROOT
from pipelines.yaml_files import shown
from resources.errors import ExtractionError
from resources.feed import read_key_file
from resources.graphql.page import MaxFailed, read_max_failed
from resources.graphql.plan import Keyed, Paging
from resources.graphql.plan.vocabulary import Strategy
from resources.graphql.query import Options as QueryOptions
from resources.graphql.query import Query
from resources.graphql.scalars import kept_as
from resources.privacy import Privacy, TestProfiles
from resources.schema_changes import SchemaChanges


def _limit(given: object) -> object:
    if isinstance(given, bool) or not isinstance(given, str | int | float):
        raise ValueError("it is a number of keys, or a share of them as in 0.5%")  # noqa: TRY004
    return read_max_failed(f"{given * 100}%" if isinstance(given, float) else str(given))


Limit = Annotated[MaxFailed, BeforeValidator(_limit, json_schema_input_type=int | float | str)]


# YAML takes the bare word for nothing at all, and nobody writes it who means nothing.
Null = Annotated[
    Literal["null"],
    BeforeValidator(
        lambda given: "null" if given is None else given, json_schema_input_type=Literal["null"] | None
    ),
]


class PagingOptions(ComponentOptions):
    """How to page a list, where the document alone does not say it; see docs/lists.md."""

    strategy: Strategy | None = Field(None, description="How the list goes on, or `keyed` for a lookup.")
    rows: str | None = Field(None, description="Path to the rows, from the root field on.")
    position: str | None = Field(None, description="The variable that takes cursor, offset or page number.")
    size: str | None = Field(None, description="The variable that takes the page's size.")
    more: str | None = Field(None, description="Path to what says that there are more pages.")
    cursor: str | None = Field(None, description="Path to the next page's cursor.")
    next: str | None = Field(None, description="Path to the number of the next page.")
    total: str | None = Field(None, description="Path to the number of all rows.")
    total_pages: str | None = Field(None, description="Path to the number of all pages.")
    first_page: Annotated[int, Number] | None = Field(
        None, description="The number of the first page, 1 or 0."
    )
    errors: Null | None = Field(
        None, description="`null` keeps rows of which the server nulls fields with an error."
    )
    null_rows: Literal["drop"] | None = Field(None, description="`drop` drops rows that are null.")


class GraphQLExtractOptions(AssetOptions):
    """The options of a GraphQLExtract."""

    document: str | None = Field(
        None, description="The document beside this file; by default the only `.graphql` in the folder."
    )
    api: Api | None = Field(
        None, description="`targetdata` or `graphql`; by default what `# api:` at the document's top says."
    )
    keys: str | None = Field(
        None,
        min_length=1,
        description="Where a lookup's keys are: an asset, or a file from the checkout's folder on.",
    )
    key_columns: dict[str, str] | None = Field(
        None, description="Of a file: key column, and its column there; by default those of the variables."
    )
    kinds: list[str] = Field(
        default_factory=list, description="Kinds of identifiers that are asked in turn; see docs/keys.md."
    )
    identity: str | None = Field(None, description="The field that tells rows apart, by its response name.")
    root: str | None = Field(None, description="Another root field, at which the selection is asked.")
    explode: list[str] = Field(
        default_factory=list, description="Lists that become tables of their own, `*` for all of them."
    )
    paging: PagingOptions | None = Field(
        None, description="How to page a list, where the document does not say it."
    )
    window: tuple[str, str] | None = Field(
        None, description="The two variables that bound the list in time, where their names do not say it."
    )
    partitions: Literal["daily", "none"] | None = Field(
        None, description="By default daily where keys are of an asset or there is a window, else none."
    )
    scalars: dict[str, str] = Field(
        default_factory=dict,
        description="What scalars or fields are kept as, beside those in the settings; see docs/types.md.",
    )
    schema_file: str | None = Field(
        None, description="The schema, from the checkout's folder on; by default that of the API's settings."
    )
    max_failed: Limit | None = Field(
        None, description="Keys of a partition that may fail: a number, or a share as in 0.5%."
    )
    schema_changes: SchemaChanges | None = Field(
        None, description="Columns that change: `frozen` stops, `additive` lets new ones in."
    )
    pseudonymise: list[str] = Field(
        default_factory=list, description="Texts that become pseudonyms; see docs/privacy.md."
    )
    test_profiles: TestProfiles = Field(TestProfiles.KEEP, description="`exclude` leaves test profiles out.")
    only_permission: str = Field(
        "", description="Only profiles with this permission are kept, as in `CS-OM=GRANTED`."
    )
    schema_drift: bool = Field(
        False, description="Whether a check compares the API's schema with the one that is kept, once a run."
    )

    @field_validator("scalars")
    @classmethod
    def _known_words(cls, given: dict[str, str]) -> dict[str, str]:
        for name, word in given.items():
            if kept_as(word) is None:
                raise ValueError(f"{name} cannot be kept as {word!r}; see docs/types.md")
        return given


class GraphQLExtract(YamlComponent[GraphQLExtractOptions]):
    """An extract: the `.graphql` document beside it, an asset of its name, and the asset's checks."""

    options_model: ClassVar[type[ComponentOptions]] = GraphQLExtractOptions
    need: Need | None = None

    def define(self, given: Given) -> dg.Definitions:
        """Define the asset and its checks."""
        document = self._document(given)
        api = self._api(given, document)
        query = self._query(given, document, api)
        asset = self._asset(given, query, api)
        checks = extract_checks(asset, query)
        if self.options.schema_drift:
            file = self._schema_file(api)
            checks.append(drift_check(asset, query, schema_file=file, resource=str(api)))
        return dg.Definitions(assets=[asset], asset_checks=checks)

    def _document(self, given: Given) -> Path:
        """Find the document."""
        if name := self.options.document:
            if not (given.folder / name).is_file():
                raise given.error("document", reason=f"there is no file {shown(given.folder / name)}")
            return given.folder / name
        found = sorted(given.folder.glob("*.graphql"))
        if not found:
            raise given.error("document", reason=f"there is no .graphql document in {shown(given.folder)}")
        if len(found) > 1:
            names = ", ".join(path.name for path in found)
            raise given.error("document", reason=f"there are several ({names}): name the one it is")
        return found[0]

    def _api(self, given: Given, document: Path) -> Api:
        """Take what is said, here or at the document's top; `schema pull` reads the latter."""
        mark = MARK.match(document.read_text("utf-8"))
        named = Api.named_in(document)
        if mark and named is None:
            raise given.error(
                "document", reason=f"{shown(document)} says api: {mark[1]}; there are {', '.join(Api)}"
            )
        wanted = self.options.api or named or Api.TARGETDATA
        if wanted is not (named or Api.TARGETDATA):
            raise given.error(
                "api",
                reason=f"{wanted}, and {shown(document)} is of {named or Api.TARGETDATA}: write "
                f"# api: {wanted} as its first line, which targetdata schema pull reads too",
            )
        return wanted

    def _schema_file(self, api: Api) -> Path:
        return ROOT / self.options.schema_file if self.options.schema_file else api.schema_file

    def _query(self, given: Given, document: Path, api: Api) -> Query:
        """Load the document, or say which of file and option is wrong."""
        file = self._schema_file(api)
        if not file.is_file():
            raise given.error(
                "schema_file",
                reason=f"there is no schema {shown(file)}: fetch it with targetdata schema pull --api {api}",
            )
        options = self._query_options(api)
        try:
            return Query.load(shown(document), schema=file, **options)
        except ExtractionError as error:
            blamed = _blamed(document, file, options)
            if blamed is None:
                raise
            raise given.error(blamed, reason=error) from error

    def _query_options(self, api: Api) -> QueryOptions:
        """Give those options that are set."""
        options = self.options
        paging = Paging(**options.paging.model_dump()) if options.paging else None
        wanted: QueryOptions = {
            "identity": options.identity,
            "root": options.root,
            "kinds": options.kinds,
            "paging": paging,
            "window": options.window,
            "scalars": {**api.scalars, **options.scalars},
            "explode": options.explode,
        }
        return wanted

    def _asset(self, given: Given, query: Query, api: Api) -> dg.AssetsDefinition:
        options = self.options
        keys = self._keys(given, query)
        by_asset = isinstance(keys, str)
        with given.named("keys"):
            require_keys(query, keys)
        if isinstance(keys, str):
            self.need = Need(keys, given.at("keys"), given.at("partitions"))
        wanted = options.partitions or ("daily" if by_asset or query.window else "none")
        return extract_asset(
            query,
            api=api,
            keys=keys,
            daily=wanted == "daily",
            policies=self._policies(given, query),
            description=options.description,
            owners=options.owners,
            group_name=options.group or str(api),
            tags=options.tags,
            metadata=options.retention,
        )

    def _keys(self, given: Given, query: Query) -> str | ChosenKeys | None:
        """Say where keys come from: an asset, or a file."""
        keys = self.options.keys
        is_file = keys is not None and not re.fullmatch(r"\w+", keys)
        if self.options.key_columns and not is_file:
            raise given.error("key_columns", reason="these are of a file, and keys names none")
        if keys is None or not is_file or not isinstance(query.plan, Keyed):
            return keys
        given.require_no_secret("keys", keys, "a KeyFeed takes it from there with files_variable")
        place = keys if "://" in keys else str(ROOT / Path(keys).expanduser())
        names = [field.name for field in query.plan.key_fields]
        spelled = list(query.plan.kinds) or [key.variable.name.value for key in query.plan.keys]
        columns = self.options.key_columns or dict(zip(names, spelled, strict=True))
        if set(columns) != set(names):
            raise given.error("key_columns", reason=f"the key columns are {', '.join(names)}")
        require = "any" if query.plan.kinds else "all"
        return ChosenKeys(
            query,
            lambda _, days: dict.fromkeys(days, read_key_file(place, columns=columns, require=require).keys),
        )

    def _policies(self, given: Given, query: Query) -> Policies:
        """Give what the options say in place of the settings."""
        options = self.options
        policies: Policies = {}
        if options.max_failed is not None:
            policies["max_failed"] = options.max_failed
        if options.schema_changes is not None:
            policies["schema_changes"] = options.schema_changes
        with given.named(self._rule_of_privacy()):
            policies["privacy"] = Privacy.of(
                query,
                pseudonymise=options.pseudonymise,
                test_profiles=options.test_profiles,
                only_permission=options.only_permission,
                fields=environment().wide_fields,
            )
        return policies

    def _rule_of_privacy(self) -> str:
        """Name the rule that is set, for errors; that of several is said in the error itself."""
        rules = ("pseudonymise", "test_profiles", "only_permission")
        given = [rule for rule in rules if rule in self.options.model_fields_set]
        return given[0] if len(given) == 1 else ""


def _blamed(document: Path, schema: Path, options: QueryOptions) -> str | None:
    """Find the option without which the document loads."""
    for name in options:
        without: QueryOptions = {key: value for key, value in options.items() if key != name}  # type: ignore
        try:
            Query.load(document, schema=schema, **without)
        except ExtractionError:
            continue
        return name
    return None
