"""Several accounts: each is a code location of the same code, in a process of its own.

`pipelines.accounts` has the definitions of any account as an attribute, for example `eu`: in `workspace.yaml`
`attribute: eu`, on the command line `-m pipelines.accounts -a eu`.
"""

import os
import warnings
from collections.abc import Mapping

import dagster as dg

from pipelines.assets import assets_of, with_assets
from pipelines.environment import environment
from pipelines.variables import ACCOUNT, ACCOUNT_NAME, NO_ACCOUNT
from resources.errors import ConfigurationError


def __getattr__(name: str) -> object:
    """Give the definitions of the account with this name."""
    if not ACCOUNT_NAME.fullmatch(name):
        raise AttributeError(f"{name!r} {NO_ACCOUNT}")
    if os.environ.setdefault(ACCOUNT, name) != name:
        raise ConfigurationError(
            f"this process is already of the account {os.environ[ACCOUNT]!r}: load {name!r} in another one "
            "(dagster definitions validate --load-with-grpc)"
        )
    from pipelines.definitions import defs

    return defs


def of_account(found: dg.Definitions) -> dg.Definitions:
    """Put the account's name before the keys of assets and checks; without an account, change nothing."""
    prefix = environment().key_prefix
    if not prefix:
        return found
    # Said of every check that gets another key; the pinned minor version keeps it as it is.
    warnings.filterwarnings("ignore", message="Parameter `execution_type`", category=dg.BetaWarning)
    definitions = assets_of(found)
    assets = [d for d in definitions if isinstance(d, dg.AssetsDefinition)]
    specs = [d for d in definitions if isinstance(d, dg.AssetSpec)]
    named = [*(key for definition in assets for key in definition.keys), *(spec.key for spec in specs)]
    keys = {key: key.with_prefix(prefix) for key in named}
    return with_assets(
        found,
        [
            *(definition.with_attributes(asset_key_replacements=keys) for definition in assets),
            *(_of_account(spec, keys) for spec in specs),
            *(d for d in definitions if not isinstance(d, dg.AssetsDefinition | dg.AssetSpec)),
        ],
    )


def _of_account(spec: dg.AssetSpec, keys: Mapping[dg.AssetKey, dg.AssetKey]) -> dg.AssetSpec:
    """Put the account before the key of what is not made here, and of what that depends on."""
    deps = [dep._replace(asset_key=keys.get(dep.asset_key, dep.asset_key)) for dep in spec.deps]
    return spec.replace_attributes(key=keys[spec.key], deps=deps)
