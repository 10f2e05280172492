"""What was damaged or missing in a source, and where: places on the job's timeline. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from operator import attrgetter
from typing import Any

from storage.model.job_warnings import JobWarning, warning

NEAR_SECONDS = 0.25  # places no further apart are one to who watches
HOLE_SECONDS = 0.1  # of sound: a shorter pause between its samples is jitter of their times, a longer one is silence
MOST_PLACES = 100  # kept of a task and of a job: the longest; a page has no use for more, and a record stays small
LEAST_TOLD_SECONDS = 0.1  # sentences tell tenths of a second, and no place lasts "0.0 s"


class DamageKind(StrEnum):
    """What is wrong at a place; each is also the code of the warning that sums its places up."""

    PICTURES_MISSING = "pictures_missing"  # none could be decoded: the one before stands
    PICTURES_REPAIRED = "pictures_repaired"  # parts of them could not be decoded, and were filled in
    SOUND_MISSING = "sound_missing"  # there is silence


@dataclass(frozen=True, slots=True)
class Damage:
    """One place: where it begins on the job's timeline and how long it is, both in seconds."""

    kind: DamageKind
    start: float
    seconds: float

    @property
    def end(self) -> float:
        """Where the place ends, in seconds."""
        return self.start + self.seconds


@dataclass(frozen=True, slots=True)
class Damages:
    """Places in order, at most MOST_PLACES, and by kind how many there are in all."""

    places: tuple[Damage, ...] = ()
    counts: Mapping[DamageKind, int] = field(default_factory=dict)


def summed_up(places: Iterable[Damage]) -> Damages:
    """Return the places merged where those of a kind are near, bounded to the longest, and their numbers."""
    found = tuple(places)
    merged = [place for kind in DamageKind for place in _merged([place for place in found if place.kind is kind])]
    counts = {kind: sum(place.kind is kind for place in merged) for kind in DamageKind}
    kept = sorted(merged, key=attrgetter("seconds"), reverse=True)[:MOST_PLACES]
    return Damages(
        places=tuple(sorted(kept, key=attrgetter("start", "kind"))),
        counts={kind: count for kind, count in counts.items() if count},
    )


def _merged(places: Sequence[Damage]) -> Iterator[Damage]:
    """Yield the places of one kind, those that are near joined."""
    present: Damage | None = None
    for place in sorted(places, key=attrgetter("start")):
        if present is None or place.start - present.end > NEAR_SECONDS:
            if present is not None:
                yield _rounded(present)
            present = place
        else:
            present = Damage(present.kind, present.start, max(present.end, place.end) - present.start)
    if present is not None:
        yield _rounded(present)


def _rounded(place: Damage) -> Damage:
    return Damage(place.kind, round(place.start, 3), round(place.seconds, 3))


def as_result(found: Damages) -> dict[str, Any]:
    """Return what a task's result says of damage: nothing where there is none."""
    if not found.places:
        return {}
    places = [{"kind": place.kind.value, "start": place.start, "seconds": place.seconds} for place in found.places]
    return {"damage": {"places": places, "counts": {kind.value: count for kind, count in found.counts.items()}}}


def of_results(results: Iterable[Mapping[str, Any]], *, until: float) -> Damages:
    """Return the damage that all tasks of a job found, places across the borders of segments joined.

    The video lasts `until` then, in seconds: sound may have been looked at for longer.
    """
    told = [result["damage"] for result in results if "damage" in result]
    places = [
        Damage(DamageKind(place["kind"]), place["start"], place["seconds"])
        for found in told
        for place in found["places"]
    ]
    whole = summed_up(
        replace(place, seconds=min(place.end, until) - place.start) for place in places if place.start < until
    )
    left_out = {
        kind: sum(found["counts"].get(kind, 0) for found in told) - sum(place.kind is kind for place in places)
        for kind in DamageKind
    }
    counts = {kind: count + left_out[kind] for kind, count in whole.counts.items()}
    return Damages(whole.places, counts)


def warnings_of(found: Damages) -> Iterator[JobWarning]:
    """Yield a warning for each kind of damage: in how many places, how long the longest is and where."""
    for kind, count in found.counts.items():
        longest = max((place for place in found.places if place.kind is kind), key=attrgetter("seconds"), default=None)
        if longest is not None:
            seconds = max(LEAST_TOLD_SECONDS, round(longest.seconds, 1))
            yield warning(kind.value, n=count, longest=seconds, at=longest.start)
