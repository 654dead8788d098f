"""The Dagster resource for TargetData, the vendor."""

from resources.account import TargetDataConnection
from resources.graphql_resource import ApiResource


class TargetDataResource(ApiResource, TargetDataConnection):
    """One TargetData account.

    The refresh token comes from `refresh_token_file`, a mounted secret that is read again when the server
    refuses what it held; else from `refresh_token` (in Dagster: `dg.EnvVar`); else from the system's keyring.
    It is nowhere else.
    """
