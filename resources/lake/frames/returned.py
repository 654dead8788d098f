"""What an asset returned: a frame, or frames by partition; each with the place it is published to."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from resources.errors import LakeError
from resources.lake.place import Place


@dataclass(frozen=True, slots=True)
class EachPartition:
    """Partition keys and frames, made one after another: a run of many partitions holds one at a time.

    For an asset to return in place of a dictionary, for example
    `EachPartition((day, frame_of(day)) for day in context.partition_keys)`.
    """

    frames: Iterable[tuple[str, object]]


def frames_of(value: object, places: Sequence[Place], name: str) -> Iterator[tuple[Place, object]]:
    """Pair an asset's frames with the run's places; raise LakeError unless there is one for each."""
    if isinstance(value, EachPartition):
        yield from _one_each(value.frames, places, name)
    elif isinstance(value, Mapping):
        _require_all(list(value), places, name)
        yield from _one_each(value.items(), places, name)
    elif len(places) == 1:
        yield places[0], value
    else:
        raise LakeError(
            f"this run is of {len(places)} partitions and the asset of {name} returned one "
            f"{type(value).__name__}: return dict[partition key, frame], or let a run have one partition "
            "(backfill_policy=dg.BackfillPolicy.multi_run(1))"
        )


def _one_each(
    frames: Iterable[tuple[object, object]], places: Sequence[Place], name: str
) -> Iterator[tuple[Place, object]]:
    left = {place.key: place for place in places}
    for key, frame in frames:
        if key not in left:
            raise LakeError(
                f"the asset of {name} returned a frame for {key}, which is not this run's, or twice"
            )
        yield left.pop(key), frame
    if left:
        raise LakeError(f"the asset of {name} returned no frame for {', '.join(map(str, left))}")


def _require_all(keys: Sequence[object], places: Sequence[Place], name: str) -> None:
    """Find a key that lacks before anything is published."""
    for place in places:
        if place.key not in keys:
            raise LakeError(
                f"the asset of {name} returned no frame for {place.key or 'a table without partitions'}"
            )
