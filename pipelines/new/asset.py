"""The text of an extract's `assets.py`."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipelines.api import APIS, Api
from resources.graphql.columns import snake_case
from resources.graphql.schema.drafting import Draft

RESOURCES = {
    Api.TARGETDATA: ("resources.targetdata", "TargetDataResource"),
    Api.GRAPHQL: ("resources.graphql_resource", "GraphQLResource"),
}
POOLS = {Api.TARGETDATA: "POOL", Api.GRAPHQL: '"graphql"'}
SETTINGS = {Api.TARGETDATA: "environment", Api.GRAPHQL: "graphql_environment"}
IMPORTED = {
    **dict.fromkeys(("BACKFILL", "DAILY", "POOL"), "pipelines.defs.daily"),
    "extract_checks": "pipelines.checks",
    "environment": "pipelines.environment",
    "graphql_environment": "pipelines.other_api",
    "ROOT": "pipelines.root",
    "ChosenKeys": "pipelines.plan.chosen",
    "Api": "pipelines.api",
    "Extraction": "pipelines.extraction",
    "extract_metadata": "pipelines.lineage",
    "read_key_file": "resources.feed",
    "Paging": "resources.graphql.plan",
    "Query": "resources.graphql.query",
    **{resource: module for module, resource in RESOURCES.values()},
    "Lake": "resources.lake",
}
NAMES = frozenset(  # what the code written here calls
    {*IMPORTED, "Path", "checks", "dg", "dict", "planned", "str"}
)
LINE = 110  # characters, as ruff formats
LONGEST = 60  # of the values that a docstring shows


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """Where the keys of a lookup come from: a table of the lake, or a file."""

    asset: str = ""
    file: str = ""  # as it is written in code
    place: str = ""  # the same file, as it is written in YAML


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetText:
    """Writes the module of one extract."""

    name: str
    draft: Draft
    api: Api
    schema: str  # as it is written in code
    keys: Keys | None

    @property
    def daily(self) -> bool:
        """Whether it has a partition a day."""
        return self.draft.window is not None or bool(self._keys_asset)

    def __str__(self) -> str:
        """Write it."""
        return "\n\n\n".join(
            [f"{self._head()}\n\nimport dagster as dg\n\n{self._imports()}\n\n{self._query()}", self._asset()]
        )

    @property
    def _constant(self) -> str:
        return self.name.upper()

    def _head(self) -> str:
        title = f"{self.draft.root.envelope.row_type.name}: {self.draft.root.says}"
        return f'"""{title}."""\n\nfrom pathlib import Path'

    def _imports(self) -> str:
        used: dict[str, list[str]] = {}
        for name in sorted(IMPORTED, key=lambda n: (not n.isupper(), n)):
            if self._uses(name):
                used.setdefault(IMPORTED[name], []).append(name)
        return "\n".join(f"from {module} import {', '.join(names)}" for module, names in sorted(used.items()))

    def _uses(self, name: str) -> bool:
        return bool(re.search(rf"\b{name}\b", self._query() + self._asset()))

    def _query(self) -> str:
        options = [
            f'Path(__file__).with_name("{self.name}.graphql")',
            f"schema={self.schema}",
            *([f'identity="{self.draft.identity}"'] if self.draft.identity else []),
            *([f"paging=Paging({_keywords(self.draft.paging)})"] if self.draft.paging else []),
            f"scalars={SETTINGS[self.api]}().scalars",
        ]
        return f"{self._constant} = Query.load(\n" + "".join(f"    {option},\n" for option in options) + ")"

    def _asset(self) -> str:
        options = [
            f"deps=[{self._deps()}]",
            *(["partitions_def=DAILY", "backfill_policy=BACKFILL"] if self.daily else []),
            f"pool={POOLS[self.api]}",
            f"code_version={self._constant}.hash",
            'kinds={"graphql", "parquet"}',
            f'group_name="{self.api}"',
            f"metadata=extract_metadata({self._described()})",
        ]
        parameters = f"context: dg.AssetExecutionContext, {self.api}: {RESOURCES[self.api][1]}, lake: Lake"
        return (
            "@dg.asset(\n"
            + "".join(f"    {option},\n" for option in options)
            + f")\n{_signature(self.name, parameters)}\n"
            + f'    """{self.grain}"""\n{self._body()}'
            + f"\n\nchecks = extract_checks({self.name}, {self._constant})\n{self._planned()}"
        )

    @property
    def _keys_asset(self) -> str:
        return self.keys.asset if self.keys else ""

    def _deps(self) -> str:
        names = [*filter(None, [self._keys_asset]), APIS[self.api]]
        return ", ".join(f'"{name}"' for name in names)

    def _described(self) -> str:
        """Write the arguments that tell the asset graph where the columns are from."""
        api = [] if self.api is Api.TARGETDATA else [f"api=Api.{self.api.name}"]
        keys = [f'keys="{self._keys_asset}"'] if self._keys_asset else []
        return ", ".join([self._constant, *api, *keys])

    def _planned(self) -> str:
        """Say which keys are asked, where they are not those of an asset before it."""
        if not (self.keys and self.keys.file):
            return ""
        read = self._read(self.keys)
        line = f"    lambda _, days: dict.fromkeys(days, {read}),"
        if len(line) > LINE:
            line = f"    lambda _, days: dict.fromkeys(\n        days, {read}\n    ),"
        return f"planned = ChosenKeys(\n    {self._constant},\n{line}\n)\n"

    @property
    def grain(self) -> str:
        """What one row is."""
        draft, row = self.draft, self.draft.root.envelope.row_type.name
        what = f"{row} ({draft.identity})" if draft.identity else row
        of_day = " of the day" if self.daily else ""
        if draft.keys:
            keys = " and ".join(snake_case(key) for key in draft.keys)
            if not draft.identity:
                return f"One row per {keys}{of_day} that is found: its {row}{self._chosen}."
            return f"One row per {what} that is found by {keys}{of_day}{self._chosen}."
        limits = "".join(f", {limit}" for limit in draft.limits)
        if draft.window:
            return f"One row per {what}{self._chosen} that the API has in the day's window{limits}."
        if "rows" in draft.paging:
            return f"One row: the {row}{self._chosen}{limits}."
        return f"One row per {what}{self._chosen or ('' if limits else ', all there are')}{limits}."

    @property
    def _chosen(self) -> str:
        """The fixed values that choose among the rows, where they are short."""
        values = " and ".join(f"{name} = {value}" for name, value in self.draft.conditions.items())
        if len(values) > LONGEST or "\\" in values or '"' * 3 in values:
            return f" with the query's {', '.join(self.draft.conditions)}"
        return f" with {values}" if values else ""

    def _body(self) -> str:
        keys, window = self.keys, self.draft.window
        if keys and keys.asset and not window:
            return self._range(keys.asset)
        arguments = [self._constant]
        arguments += ["keys=partition.keys(keys)"] if keys else []
        arguments += ["variables=partition.variables"] if window else []
        arguments += ["resume=partition.resume"]
        return self._loop(", ".join(arguments), f"keys = {self._read(keys)}" if keys else "")

    def _read(self, keys: Keys) -> str:
        if keys.asset:
            return f'lake.read("{keys.asset}", partition.folder)'
        columns = ", ".join(f'"{snake_case(key)}": "{key}"' for key in self.draft.keys)
        return f"read_key_file({keys.file}, columns={{{columns}}}).keys"

    def _range(self, asset: str) -> str:
        return f"""\
    extraction = {self._extraction()}
    with extraction.range() as days:
        for page in {self.api}.pages({self._constant}, keys=days.keys("{asset}"), resume=days.resume):
            days.write(page)
"""

    def _loop(self, arguments: str, before: str = "") -> str:
        first = f"            {before}\n" if before else ""
        return f"""\
    extraction = {self._extraction()}
    for key in extraction.keys:
        with extraction.partition(key) as partition:
{first}            for page in {self.api}.pages({arguments}):
                partition.write(page)
"""

    def _extraction(self) -> str:
        settings = f"{SETTINGS[self.api]}()"
        failing = [f"max_failed={settings}.max_failed"] if self.draft.keys else []
        changing = f"schema_changes={settings}.schema_changes"
        return _call("Extraction", ["context", "lake", self._constant, *failing, changing])


def _keywords(values: Mapping[str, str]) -> str:
    return ", ".join(f'{name}="{value}"' for name, value in values.items())


def _call(function: str, arguments: Sequence[str]) -> str:
    """Write the right side of an assignment in a function's body, in as many lines as it takes."""
    inside = ", ".join(arguments)
    if len(f"    extraction = {function}({inside})") <= LINE:
        return f"{function}({inside})"
    if len(inside) + 8 <= LINE:
        return f"{function}(\n        {inside}\n    )"
    return f"{function}(\n" + "".join(f"        {argument},\n" for argument in arguments) + "    )"


def _signature(name: str, parameters: str) -> str:
    line = f"def {name}({parameters}) -> None:"
    return line if len(line) <= LINE else f"def {name}(\n    {parameters}\n) -> None:"
