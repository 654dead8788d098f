"""What the components have in common: options that are read with their lines, and how an asset is shown."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import ClassVar, Generic, Self, TypeVar, cast

import dagster as dg
from pydantic import BaseModel, ConfigDict, Field

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


class AssetOptions(ComponentOptions):
    """How Dagster presents an asset, and how long its partitions are kept."""

    description: str | None = Field(None, description="What one row is; the asset's text in Dagster.")
    owners: list[Owner] | None = Field(
        None, description="Owners: mail addresses and teams; without them those in TARGETDATA_OWNERS."
    )
    group: str | None = Field(None, description="Dagster's group; the API's name, or `targetdata` for keys.")
    tags: dict[str, str] | None = Field(None, description="Dagster's tags of the asset.")
    retention_days: int | None = Field(
        None, ge=1, description="Days that partitions are kept after their end; without it for all time."
    )

    @property
    def retention(self) -> dict[str, int]:
        """The metadata that says how long partitions are kept."""
        return {RETENTION_DAYS: self.retention_days} if self.retention_days else {}
