"""python -m pipelines.cli: the same as `targetdata`."""

from pipelines.cli import app

app()
