"""The lake: tables as Parquet partitions that are published whole, and read as frames."""

from resources.lake.frames.io_manager import LakeIOManager
from resources.lake.frames.kinds import Dataset
from resources.lake.frames.returned import EachPartition
from resources.lake.resource import Lake

__all__ = ["Dataset", "EachPartition", "Lake", "LakeIOManager"]
