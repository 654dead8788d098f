"""Several accounts: each is a code location of the same code, in a process of its own.

`pipelines.accounts` has the definitions of any account as an attribute, for example `eu`: in `workspace.yaml`
`attribute: eu`, on the command line `-m pipelines.accounts -a eu`.
"""

import os
import re
import warnings

import dagster as dg

from pipelines.environment import environment
from pipelines.variables import ACCOUNT
from resources.errors import ConfigurationError

NAME = re.compile(r"[a-z][a-z0-9_]*")


def __getattr__(name: str) -> object:
    """Give the definitions of the account with this name."""
    if not NAME.fullmatch(name):
        raise AttributeError(
            f"{name!r} is no account's name: a letter, then letters, digits or _, in lower case"
        )
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
    # A module that imports an asset of another has it too.
    definitions = list({id(d): d for d in (*(found.assets or ()), *(found.asset_checks or ()))}.values())
    assets = [d for d in definitions if isinstance(d, dg.AssetsDefinition)]
    keys = {key: key.with_prefix(prefix) for definition in assets for key in definition.keys}
    return dg.Definitions(
        assets=[
            *(definition.with_attributes(asset_key_replacements=keys) for definition in assets),
            *(definition for definition in definitions if not isinstance(definition, dg.AssetsDefinition)),
        ],
        schedules=found.schedules,
        sensors=found.sensors,
        jobs=found.jobs,
        resources=found.resources,
        executor=found.executor,
        loggers=found.loggers,
        metadata=found.metadata,
    )
