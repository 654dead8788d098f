"""What the components have in common: options that are read with their lines, and how an asset is shown."""

import re
from abc import abstractmethod
from collections.abc import Mapping
from typing import Annotated, ClassVar, Generic, Self, TypeVar, cast

import dagster as dg
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from pipelines.components.given import Given
from pipelines.setting_types import Owner
from resources.lake.retention import RETENTION_DAYS


class Attributes(BaseModel):
    """Whatever stands under `attributes`: it is checked by the component, which names the lines."""

    model_config = ConfigDict(extra="allow")


class ComponentOptions(BaseModel):
    """Options; another than these is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


Options = TypeVar("Options", bound=ComponentOptions)


class YamlComponent(dg.Component, Generic[Options]):
    """A component that a `defs.yaml` names; its options are a model."""

    options_model: ClassVar[type[ComponentOptions]]

    def __init__(self, options: Options) -> None:
        self.options = options

    @classmethod
    def get_model_cls(cls) -> type[BaseModel]:
        """Let Dagster take any options, as what it prints of a wrong one is long and may hold its value."""
        return Attributes

    @classmethod
    def load(cls, attributes: BaseModel | None, context: dg.ComponentLoadContext) -> Self:
        """Read the options."""
        attributes_given: Mapping[str, object] = (attributes.model_extra if attributes else None) or {}
        options = Given(context).options(cls.options_model, attributes_given)
        return cls(cast("Options", options))

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """Define what the options say."""
        given = Given(context)
        with given.named():
            return self.define(given)

    @abstractmethod
    def define(self, given: Given) -> dg.Definitions:
        """Define what the options say."""


def matching(pattern: str, says: str) -> AfterValidator:
    """Take what Dagster takes; no pattern for editors, as a template is none of it until it is filled in."""

    def checked(text: str) -> str:
        if not re.fullmatch(pattern, text, re.ASCII):
            raise ValueError(says)
        return text

    return AfterValidator(checked)


Name = Annotated[str, matching(r"\w+", "it has letters, digits and _ only")]
Group = Annotated[str, matching(r"\w+(/\w+)*", "it has letters, digits and _ only, and / between its parts")]
TAG = "it has letters, digits and _-. only, 63 at most"
TagName = Annotated[
    str, matching(r"([\w.-]{1,63}/|dagster/kind/)?[\w.-]{1,63}", f"{TAG}, and / behind a namespace")
]
TagValue = Annotated[str, matching(r"[\w.-]{0,63}", TAG)]


def _no_switch(given: object) -> object:
    if isinstance(given, bool):
        raise ValueError("it is a number")  # noqa: TRY004
    return given


# YAML reads yes, no, on and off as booleans, which would count as 1 and 0.
Number = BeforeValidator(_no_switch)


class AssetOptions(ComponentOptions):
    """How Dagster presents an asset, and how long its partitions are kept."""

    description: str | None = Field(None, description="What one row is; the asset's text in Dagster.")
    owners: list[Owner] | None = Field(
        None, description="Owners: mail addresses and teams; without them those in TARGETDATA_OWNERS."
    )
    group: Group | None = Field(
        None, description="Dagster's group; the API's name, or `targetdata` for keys."
    )
    tags: dict[TagName, TagValue] | None = Field(None, description="Dagster's tags of the asset.")
    retention_days: Annotated[int, Field(ge=1), Number] | None = Field(
        None, description="Days that partitions are kept after their end; without it for all time."
    )

    @property
    def retention(self) -> dict[str, int]:
        """The metadata that says how long partitions are kept."""
        return {RETENTION_DAYS: self.retention_days} if self.retention_days else {}
