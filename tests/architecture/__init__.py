"""docs/architecture.svg, drawn from the code.

Rooms are packages and modules of `pipelines/` and `resources/`; their rows are the layers that pyproject.toml
has import-linter check, and the arrows are imports, but for those that follow from others.
"""
