"""A look-alike of TargetData's API on loopback, for tests, the demo and development."""

from tests.sandbox.faults import Faults
from tests.sandbox.server import Sandbox

__all__ = ["Faults", "Sandbox"]
