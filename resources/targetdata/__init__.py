"""TargetData, the vendor: its resource and its tokens."""

from resources.targetdata.resource import TargetDataResource

__all__ = ["TargetDataResource"]
