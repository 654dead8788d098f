"""The options of a `GraphQLExtract`: what its document and the schema do not say."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, field_validator

from pipelines.api import Api
from pipelines.components.component import AssetOptions, ComponentOptions, Number
from resources.graphql.page import MaxFailed, read_max_failed
from resources.graphql.plan.vocabulary import Strategy
from resources.graphql.scalars import kept_as
from resources.privacy import TestProfiles
from resources.schema_changes import SchemaChanges


def _limit(given: object) -> object:
    if isinstance(given, bool) or not isinstance(given, str | int | float):
        raise ValueError("it is a number of keys, or a share of them as in 0.5%")  # noqa: TRY004
    return read_max_failed(f"{given * 100}%" if isinstance(given, float) else str(given))


Limit = Annotated[MaxFailed, BeforeValidator(_limit, json_schema_input_type=int | float | str)]


# YAML takes the bare word for nothing at all, and nobody writes it who means nothing.
Null = Annotated[Literal["null"] | None, BeforeValidator(lambda given: "null" if given is None else given)]


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
    errors: Null = Field(
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
        None, description="Keys of a partition that may fail: a number, or a share as in 0.5% or 0.005."
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
