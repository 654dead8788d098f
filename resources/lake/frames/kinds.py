"""Frames of pandas, pyarrow and polars: made of a dataset, and turned into a table.

In pandas all columns are of Arrow's types: pandas' own have no integer that may be null (it would become a
float and lose digits beyond 2^53), no date, no decimal and no nested list.
"""

from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any, Protocol, runtime_checkable

import pyarrow as pa

from resources.errors import LakeError


@runtime_checkable
class Dataset(Protocol):
    """A `pyarrow.dataset.Dataset` for annotations, whose own module takes as long to import as pandas."""

    @property
    def schema(self) -> pa.Schema:
        """Its columns."""

    def to_table(self, columns: Sequence[str] | None = None) -> pa.Table:
        """Read it all at once."""

    def scanner(self, **options: object) -> Any:
        """Read it in batches."""


SUPPORTED = {
    "pandas.DataFrame": "pd.DataFrame",
    "pyarrow.Table": "pa.Table",
    "pyarrow.Dataset": "pyarrow.dataset.Dataset",
    "polars.DataFrame": "pl.DataFrame",
    "polars.LazyFrame": "pl.LazyFrame",
}


def supported() -> str:
    """Name the kinds of frames, and what is missing for them."""
    advice = "; pl is polars, which is not installed: .venv/bin/pip install -e '.[polars]'"
    missing = "" if find_spec("polars") else advice
    return ", ".join(SUPPORTED.values()) + missing


def kind_of(class_: object) -> str | None:
    """Name the kind of frame that a class is or inherits from, without an import of its library."""
    if class_ is Dataset:
        return "pyarrow.Dataset"
    for base in class_.__mro__ if isinstance(class_, type) else ():
        name = f"{base.__module__.partition('.')[0]}.{base.__qualname__}"
        if name in SUPPORTED:
            return name
    return None


def frame_of(dataset: Any, kind: str) -> Any:
    """Make a frame of a pyarrow dataset."""
    match kind:
        case "pyarrow.Dataset":
            return dataset
        case "pyarrow.Table":
            return dataset.to_table()
        case "pandas.DataFrame":
            import pandas as pd

            return dataset.to_table().to_pandas(types_mapper=pd.ArrowDtype)
        case "polars.LazyFrame":
            import polars as pl

            return pl.scan_pyarrow_dataset(dataset)
        case _:
            import polars as pl

            return pl.DataFrame(dataset.to_table())


def table_from(frame: Any, name: str) -> pa.Table:
    """Make a table of a frame; NaN in pandas' own columns is null, as pandas has it."""
    match kind_of(type(frame)):
        case "pyarrow.Table":
            table = frame
        case "pyarrow.Dataset":
            table = frame.to_table()
        case "pandas.DataFrame":
            table = _from_pandas(frame, name)
        case "polars.DataFrame":
            table = _from_polars(frame, name)
        case "polars.LazyFrame":
            table = _from_polars(frame.collect(), name)
        case _:
            raise LakeError(
                f"the asset of {name} returned {type(frame).__name__}, which is no frame. Return one of "
                f"{supported()}, or annotate it with -> None if it publishes by itself"
            )
    twice = sorted({column for column in table.column_names if table.column_names.count(column) > 1})
    if twice:
        raise LakeError(f"the frame for {name} has two columns {twice[0]}")
    return table


def _from_pandas(frame: Any, name: str) -> pa.Table:
    kept = [str(level) for level in frame.index.names if level is not None]
    if kept:
        raise LakeError(f"the index of the frame for {name} holds {', '.join(kept)}: reset_index() first")
    columns = list(frame.columns)
    if not all(isinstance(column, str) for column in columns):
        raise LakeError(f"the frame for {name} has columns that are not named by text")
    arrays = [_from_series(frame.iloc[:, i], f"{name}.{column}") for i, column in enumerate(columns)]
    return pa.Table.from_arrays(arrays, names=columns)


def _from_series(series: Any, path: str) -> Any:
    try:
        return pa.array(series, from_pandas=True)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, OverflowError):
        raise LakeError(f"{path} has values of several types, or of one that Arrow has not") from None


def _from_polars(frame: Any, name: str) -> pa.Table:
    import polars as pl

    for column, type_ in frame.schema.items():
        if type_ in (pl.Object, pl.Int128):
            raise LakeError(f"{name}.{column} is {type_}, which Parquet has not")
    return frame.to_arrow(compat_level=pl.CompatLevel.oldest())
