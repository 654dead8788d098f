"""The lake: tables as Parquet partitions that are published whole, and read as frames."""

from resources.lake.frames import Dataset
from resources.lake.io_manager import LakeIOManager
from resources.lake.resource import Lake
from resources.lake.returned import EachPartition

__all__ = ["Dataset", "EachPartition", "Lake", "LakeIOManager"]
