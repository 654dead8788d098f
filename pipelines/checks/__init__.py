"""Asset checks of an extract: what its published files say, read by other code than wrote them."""

from pipelines.checks.definition import extract_checks

__all__ = ["extract_checks"]
