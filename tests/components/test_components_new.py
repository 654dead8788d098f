"""`targetdata new --yaml` writes the very asset that the Python form defines."""

import importlib.util
from pathlib import Path

import dagster as dg
import pytest
from graphql import build_schema

from pipelines.api import Api
from pipelines.new import write_extract
from pipelines.plan.extracts import query_of
from resources.errors import ConfigurationError, QueryError
from resources.graphql.schema.drafting.draft import Order
from resources.graphql.schema.drafting.finding import all_roots, find_root
from tests.components.yaml_defs import assets, load
from tests.conftest import ROOT

SCHEMAS = ROOT / "tests" / "schemas"
SANDBOXES = ROOT / "tests" / "sandbox"
FILES = [*sorted(SCHEMAS.glob("*.graphql")), SANDBOXES / "lists.graphql", SANDBOXES / "schema.graphql"]
MOST = 4  # roots of a kind in a schema


def orders(schema_file: Path) -> list[tuple[Order, str | None]]:
    """Give the first roots of each kind; of lookups with an asset's keys, and with a file's."""
    schema = build_schema(schema_file.read_text(encoding="utf-8"))
    found: dict[str, list[str]] = {}
    for name, _, _ in all_roots(schema):
        try:
            root = find_root(schema, name, rows=None, given=set(), keys=())
        except QueryError:
            continue
        found.setdefault(root.kind, []).append(name)
    wanted = []
    for kind, names in found.items():
        for name in names[:MOST]:
            for keys in ("keys_of_day", "s3://bucket/keys.csv") if kind == "lookup" else (None,):
                wanted.append((Order(name="things", root=name), keys))
    return wanted


def written(
    into: Path, order: Order, schema_file: Path, keys: str | None, *, as_yaml: bool, api: Api
) -> Path:
    write_extract(
        order,
        api=api,
        schema_file=schema_file,
        into=into,
        keys_from=keys,
        force=True,
        ask=lambda *_: None,
        as_yaml=as_yaml,
    )
    return into / "things"


def python_asset(folder: Path) -> tuple[dg.AssetsDefinition, list[dg.AssetChecksDefinition]]:
    spec = importlib.util.spec_from_file_location("written", folder / "assets.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.things, module.checks


def told(asset: dg.AssetsDefinition, checks: list[dg.AssetChecksDefinition]) -> dict[str, object]:
    """Say all that Dagster knows of an asset, but for the file and the component that it is made by."""
    spec = asset.get_asset_spec()
    made_by = {"dagster/code_references", "dagster/component_origin"}
    return {
        "key": spec.key,
        "deps": {dep.asset_key for dep in spec.deps},
        "partitions": asset.partitions_def,
        "backfill": asset.backfill_policy,
        "metadata": {name: value for name, value in spec.metadata.items() if name not in made_by},
        "code_version": spec.code_version,
        "kinds": spec.kinds,
        "group": spec.group_name,
        "description": spec.description,
        "pool": getattr(asset.node_def, "pool", None),
        "needs": asset.required_resource_keys,
        "query": query_of(asset, "things").hash,
        "checks": {
            (check.name, check.blocking, check.partitions_def)
            for each in checks
            for check in each.check_specs
        },
    }


@pytest.mark.parametrize("schema_file", FILES, ids=lambda path: path.stem)
def test_both_forms_define_the_same(schema_file: Path, tmp_path: Path) -> None:
    kinds = set()
    api = Api.TARGETDATA if schema_file.parent == SANDBOXES else Api.GRAPHQL
    for number, (order, keys) in enumerate(orders(schema_file)):
        try:
            folder = written(tmp_path / f"p{number}", order, schema_file, keys, as_yaml=False, api=api)
        except (ConfigurationError, QueryError):
            continue  # it needs a value that only a person knows
        python = told(*python_asset(folder))
        into = tmp_path / f"y{number}"
        folder = written(into, order, schema_file, keys, as_yaml=True, api=api)
        if keys == "keys_of_day":
            add_keys(into)
        found = load(into)
        checks = list(found.asset_checks or ())
        assert told(assets(found)["things"], checks) == python, order.root
        kinds.add((python["partitions"] is None, keys))
    assert len(kinds) > 1


def add_keys(into: Path) -> None:
    (into / "keys_of_day").mkdir()
    (into / "keys_of_day" / "defs.yaml").write_text(
        "type: pipelines.components.KeyFeed\nattributes:\n  files: data/{date}.csv\n"
    )


def test_the_form_that_was_there_goes_with_force(tmp_path: Path) -> None:
    order = Order(name="things", root="characters")
    schema = SCHEMAS / "rickandmorty.graphql"
    folder = written(tmp_path, order, schema, None, as_yaml=False, api=Api.GRAPHQL)
    written(tmp_path, order, schema, None, as_yaml=True, api=Api.GRAPHQL)
    assert {path.name for path in folder.iterdir()} == {"defs.yaml", "things.graphql"}
    written(tmp_path, order, schema, None, as_yaml=False, api=Api.GRAPHQL)
    assert {path.name for path in folder.iterdir()} == {"assets.py", "things.graphql"}


def test_the_first_line_leads_editors_to_the_schema(tmp_path: Path) -> None:
    schema = SCHEMAS / "rickandmorty.graphql"
    order = Order(name="things", root="characters")
    folder = written(tmp_path / "defs", order, schema, None, as_yaml=True, api=Api.GRAPHQL)
    first = (folder / "defs.yaml").read_text().splitlines()[0]
    _, _, place = first.partition("# yaml-language-server: $schema=")
    assert (folder / place).resolve() == ROOT / "pipelines" / "components" / "defs.schema.json"
