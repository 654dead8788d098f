"""An account of TargetData, the vendor: the connection to it and its tokens; no Dagster."""

from resources.account.connection import TargetDataConnection

__all__ = ["TargetDataConnection"]
