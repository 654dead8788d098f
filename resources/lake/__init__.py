"""The lake: tables as Parquet partitions that are published whole."""

from resources.lake.resource import Lake

__all__ = ["Lake"]
