"""The second door: what a `defs.yaml` may name as its type, over the same functions as the Python assets."""

from pipelines.components.graphql_extract import GraphQLExtract
from pipelines.components.key_feed import KeyFeed
from pipelines.components.warehouse_load import WarehouseLoad

__all__ = ["GraphQLExtract", "KeyFeed", "WarehouseLoad"]
