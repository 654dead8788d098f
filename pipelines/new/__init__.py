"""`targetdata new`: a query and an asset, made from the schema."""

import json
import keyword
import re
import textwrap
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from graphql import GraphQLField, GraphQLSchema
from rich.console import Console

from pipelines.api import Api
from pipelines.new.asset import NAMES, SETTINGS, AssetText, Keys
from pipelines.new.component import component_text
from pipelines.root import ROOT, shown
from pipelines.schema.pull import SHOWN
from resources.errors import ConfigurationError
from resources.graphql.columns import snake_case
from resources.graphql.plan import Paging
from resources.graphql.query import Query, load_schema
from resources.graphql.schema.drafting.draft import Draft, Order, draft_query
from resources.graphql.schema.drafting.finding import all_roots
from resources.graphql.schema.drafting.values import AskForValue
from resources.key_files import read_key_file

TAKEN = frozenset(
    {"connections", "daily", "feed", "feed_arrived", "graphql", "lake", "profile_keys", "profiles"}
    | {"profiles_daily", "profiles_every_morning", "profiles_refresh", "profiles_wide", "targetdata"}
)
WIDTH = 100
PROFILE_KEYS, UMID = "profile_keys", "umid"


def write_extract(
    order: Order,
    *,
    api: Api,
    schema_file: Path | None,
    into: Path,
    keys_from: str | None,
    force: bool,
    ask: AskForValue,
    as_json: bool = False,
    as_yaml: bool = False,
) -> None:
    """Write the folder of an extract, say what is in it and what to do next.

    `as_yaml`: a component's `defs.yaml` stands beside the query, not an asset in Python.
    """
    check_name(order.name)
    folder = into / order.name
    if folder.exists() and not force:
        raise ConfigurationError(f"{shown(folder)} is there already: choose another name, or --force")
    schema = schema_of(api, schema_file)
    draft = draft_query(schema, order, ask, scalars=api.scalars)
    document = f"{comments(api, draft.left_out)}{draft.text}"
    asset = AssetText(
        name=order.name,
        draft=draft,
        api=api,
        schema=schema_code(api, schema_file),
        keys=keys_of(draft, api, keys_from),
    )
    check(document, draft, order.name, schema, api)
    folder.mkdir(parents=True, exist_ok=True)
    own_schema = "" if schema_of_settings(api, schema_file) else place_in_project(schema_file or Path())
    code, yaml = folder / "assets.py", folder / "defs.yaml"
    described, other = (yaml, code) if as_yaml else (code, yaml)
    text = component_text(asset, folder, own_schema) if as_yaml else str(asset)
    files = {folder / f"{order.name}.graphql": document, described: text}
    for path, written in files.items():
        path.write_text(written, encoding="utf-8")
    other.unlink(missing_ok=True)  # of two Dagster would take the defs.yaml, and say nothing
    if as_json:
        print(as_text(list(files), draft, asset))  # noqa: T201
    else:
        say(list(files), draft, asset)


def show_roots(api: Api, schema_file: Path | None, *, as_json: bool = False) -> None:
    """Print each root field with its arguments, and how it is read."""
    if as_json:
        found = all_roots(schema_of(api, schema_file))
        roots = [{"root": name, "field": signature(name, field), "read": says} for name, field, says in found]
        print(json.dumps(roots, indent=2))  # noqa: T201
        return
    console = Console(highlight=False)
    for name, field, says in all_roots(schema_of(api, schema_file)):
        console.print(signature(name, field), soft_wrap=True, markup=False)
        console.print(f"    {says}", soft_wrap=True, markup=False, style="dim")


def signature(name: str, field: GraphQLField) -> str:
    """Write a field as the schema does."""
    arguments = ", ".join(f"{a}: {argument.type}" for a, argument in field.args.items())
    return f"{name}{f'({arguments})' if arguments else ''}: {field.type}"


def check_name(name: str) -> None:
    """Refuse a name that cannot be an asset, a folder and a table."""
    if not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", name) or keyword.iskeyword(name):
        raise ConfigurationError(f"{name!r} cannot be a table's name: write it as in open_orders")
    if name in TAKEN or NAMES & {name, name.upper()}:
        raise ConfigurationError(f"{name} is the name of something else here: choose another")


def schema_of(api: Api, schema_file: Path | None) -> GraphQLSchema:
    """Read the schema, or say how to get it."""
    path = schema_file or api.schema_file
    if not path.exists():
        raise ConfigurationError(
            f"there is no schema {shown(path)}: fetch it with targetdata schema pull --api {api}"
        )
    return load_schema(path)


def schema_of_settings(api: Api, schema_file: Path | None) -> bool:
    """Say whether the schema is the one that the settings name."""
    return schema_file is None or schema_file.resolve() == api.schema_file.resolve()


def schema_code(api: Api, schema_file: Path | None) -> str:
    """Write in code where the schema is: what the settings say, or a file of the project."""
    if schema_file is None or schema_of_settings(api, schema_file):
        return f"{SETTINGS[api]}().schema_file"
    return in_project(schema_file)


def in_project(path: Path) -> str:
    """Write a path in code, from the project's folder on where it is inside."""
    place = place_in_project(path)
    return f'Path("{place}")' if Path(place).is_absolute() else f'ROOT / "{place}"'


def place_in_project(path: Path) -> str:
    """Write a path from the project's folder on where it is inside, else the whole of it."""
    whole = path.resolve()
    return whole.relative_to(ROOT).as_posix() if whole.is_relative_to(ROOT) else str(whole)


def keys_of(draft: Draft, api: Api, keys_from: str | None) -> Keys | None:
    """Say where keys come from, or that it has to be said."""
    if not draft.keys:
        if keys_from:
            raise ConfigurationError(f"{draft.root.path[-1]} is {draft.root.says}: it takes no --keys-from")
        return None
    columns = [snake_case(key) for key in draft.keys]
    if keys_from is None and columns == [UMID] and api is Api.TARGETDATA:
        return Keys(asset=PROFILE_KEYS)
    if keys_from is None:
        raise ConfigurationError(
            f"{draft.root.path[-1]} looks up by {', '.join(columns)}: say where they come from with "
            "--keys-from, a daily asset whose table has these columns, or a file with columns of the "
            f"arguments' names: {', '.join(draft.keys)} (JSONL, CSV, TSV, Parquet)"
        )
    if re.fullmatch(r"\w+", keys_from):
        return Keys(asset=keys_from)
    if "://" in keys_from:
        return Keys(file=f'"{keys_from}"', place=keys_from)
    columns_of_file = {snake_case(key): key for key in draft.keys}
    read_key_file(str(Path(keys_from).resolve()), columns=columns_of_file)  # it has these columns, or refuses
    path = Path(keys_from)
    return Keys(file=f"str({in_project(path)})", place=place_in_project(path))


def is_there(asset: str, into: Path) -> bool:
    """Say whether an asset has a folder here."""
    return any((folder / asset).is_dir() for folder in (into, ROOT / "pipelines" / "defs"))


def check(document: str, draft: Draft, name: str, schema: GraphQLSchema, api: Api) -> None:
    """Load what is about to be written, as the asset will."""
    Query.parse(
        document,
        schema=schema,
        path=f"{name}.graphql",
        name=name,
        identity=draft.identity,
        paging=Paging.of([f"{key}={value}" for key, value in draft.paging.items()]),
        scalars=api.scalars,
    )


def comments(api: Api, left_out: Mapping[str, Sequence[str]]) -> str:
    """Write the top of the document: whose it is, and what is left out."""
    mark = "" if api is Api.TARGETDATA else f"# api: {api}\n"
    lines = [
        textwrap.fill(
            f"{', '.join(fields)}: {reason}",
            WIDTH,
            initial_indent="# - ",
            subsequent_indent="#   ",
            break_long_words=False,
        )
        for reason, fields in left_out.items()
    ]
    return mark + ("# Left out:\n" + "\n".join(lines) + "\n" if lines else "")


def as_text(files: Sequence[Path], draft: Draft, asset: AssetText) -> str:
    """Write what was written and left out as JSON."""
    return json.dumps(
        {
            "files": [shown(path) for path in files],
            "row_type": draft.root.envelope.row_type.name,
            "read": draft.root.says,
            "grain": asset.grain,
            "keys": [snake_case(key) for key in draft.keys],
            "left_out": {reason: list(fields) for reason, fields in draft.left_out.items()},
        },
        indent=2,
    )


def say(files: Sequence[Path], draft: Draft, asset: AssetText) -> None:
    """Say what was written and left out, and the next two commands."""
    console = Console(highlight=False)

    def tell(text: str) -> None:
        console.print(text, soft_wrap=True, markup=False)

    tell(f"{shown(files[0])}: {draft.root.envelope.row_type.name}, {draft.root.says}")
    tell(f"{shown(files[1])}: {asset.grain}")
    if draft.paging.get("strategy") == "whole":
        tell(f"  one answer is taken for all{''.join(f': {limit}' for limit in draft.limits)}")
    left = [f"{field} ({reason})" for reason, fields in draft.left_out.items() for field in fields]
    for line in left[:SHOWN]:
        tell(f"  left out: {line}")
    if len(left) > SHOWN:
        tell(f"  and {len(left) - SHOWN} more; see {files[0].name}")
    keys = asset.keys.asset if asset.keys else ""
    if keys and not is_there(keys, files[0].parent.parent):
        tell(f"  there is no asset {keys} yet, or it has no folder of its name; its table needs the columns")
        tell(f"  {', '.join(map(snake_case, draft.keys))}")
    yesterday = datetime.now(UTC).date() - timedelta(days=1)
    partition = f" --partition {yesterday}" if asset.daily else ""
    tell("Next:")
    tell("  .venv/bin/dagster definitions validate")
    tell(f"  .venv/bin/dagster asset materialize -m pipelines.definitions --select {asset.name}{partition}")
    tell(f"or in Dagster's UI (make dev): Reload definitions, then the asset {asset.name}, Materialize.")
