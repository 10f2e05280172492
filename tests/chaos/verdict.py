"""What was seen of a run, and what of it must not be: pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from tests.chaos.faults import Broker, Kind
from tests.chaos.media import Track
from tests.chaos.people import Tried
from tests.chaos.work import KILLS, Blow, OwnEnd, Recovery, Repeated, Sample, recoveries, repeated

# From the issue: seconds from a kill to work going on. What a machine busy with other tests adds is not the product's.
TARGETS = {Kind.ENCODER: 10.0, Kind.POOL_CHILD: 2.0}
BUSY_SECONDS = 5.0
MOST_REPEATED = 1  # pieces of encoding that one kill may cost: each encoder of a run has one slot
QUEUE_TITLE = "queue."  # how the titles of the long queue's uploads begin
_REFUSALS = frozenset({503})  # the only clear refusal: come back later


@dataclass(frozen=True, slots=True)
class Wanted:
    """What every job of a clip must come to."""

    frames: int
    rungs: tuple[str, ...]
    sound: bool
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Fate:
    """A job as found at the end; `tracks` are its MP4s and HLS tracks.

    `created` and `readied` tell how often it was queued and became ready.
    """

    id: str
    title: str
    clip: str
    state: str
    error: str = ""
    frames: int = 0
    warnings: tuple[str, ...] = ()
    seconds: float = 0.0
    created: int = 1
    readied: int = 1
    tracks: Mapping[str, Track] | None = None
    trouble: str = ""  # what kept us from looking at it


@dataclass(frozen=True, slots=True)
class Remains:
    """What was still there when everything had settled; each is a list of names, to be empty but for the young ones."""

    messages: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    objects: tuple[str, ...] = ()
    scratch: tuple[str, ...] = ()
    processes: tuple[str, ...] = ()
    slow_stops: tuple[str, ...] = ()
    sums: tuple[str, ...] = ()  # those that are not what the records come to
    # Uploads that nobody was promised, younger than the age at which the janitor removes them.
    young_originals: tuple[str, ...] = ()
    young_writes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Run:
    """Everything that was observed."""

    seed: int
    broker: Broker
    seconds: float
    settled_after: float | None
    wanted: Mapping[str, Wanted]
    tries: Sequence[Tried]
    blows: Sequence[Blow]
    missed: int
    samples: Sequence[Sample]
    fates: Sequence[Fate]
    remains: Remains
    own_ends: Sequence[OwnEnd] = ()
    deleted: frozenset[str] = frozenset()  # jobs whose deletion was promised
    in_doubt: frozenset[str] = frozenset()  # jobs whose deletion was asked for
    long_queue: int = 0  # uploads that were sent before anything was broken
    cancelled: frozenset[str] = frozenset()  # jobs whose end was promised
    maybe_cancelled: frozenset[str] = frozenset()  # jobs whose end was asked for
    shortest: int = 0  # the fewest unfinished jobs while things were broken
    trouble: tuple[str, ...] = ()  # what was told and did not hold, of uploads by tus and of the long queue

    @property
    def recoveries(self) -> tuple[Recovery, ...]:
        """How long each killed attempt's piece lay still."""
        return recoveries(self.blows, self.samples)

    @property
    def repeated(self) -> tuple[Repeated, ...]:
        """Encoding that was done again."""
        return tuple(one for one in repeated(self.blows, self.samples) if one.held.encodes)


def violations(run: Run) -> list[str]:
    """Return what broke a promise, a sentence each; an empty list is a passed run."""
    return [*_of_promises(run), *_of_jobs(run), *_of_work(run), *_of_remains(run.remains)]


def _of_promises(run: Run) -> Iterator[str]:
    if run.settled_after is None:
        yield "the installation had not settled in the time it was given"
    known = {fate.id for fate in run.fates}
    yield from (f"job {job_id} was deleted and is there" for job_id in sorted(known & run.deleted))
    for tried in run.tries:
        if tried.accepted and tried.job_id not in known | run.deleted | run.in_doubt:
            yield f"lost: upload {tried.title} was accepted as {tried.job_id}, which is gone"
        if not tried.accepted and tried.status and (tried.status not in _REFUSALS or tried.retry_after is None):
            yield f"unclear: upload {tried.title} was answered {tried.status} {tried.code}"
    if not any(tried.accepted for tried in run.tries):
        yield "not one upload was accepted"
    yield from run.trouble
    of_queue = sum(tried.accepted for tried in run.tries if tried.title.startswith(QUEUE_TITLE))
    if of_queue != run.long_queue:
        yield f"{of_queue} of the {run.long_queue} uploads of the long queue were accepted"
    for title, count in Counter(fate.title for fate in run.fates).items():
        if count > 1:
            yield f"twice: upload {title} became {count} jobs"


def _of_jobs(run: Run) -> Iterator[str]:
    for fate in run.fates:
        if fate.id in run.in_doubt | run.cancelled | run.maybe_cancelled and fate.state == "cancelled":
            continue  # a deletion that breaks off leaves a cancelled job, and can be repeated
        name = f"job {fate.id} ({fate.clip}, {fate.title})"
        if fate.id in run.cancelled:
            yield f"{name} was cancelled and is {fate.state}"
        if fate.state != "ready":
            yield f"{name} is {fate.state} {fate.error}".rstrip()
            continue
        if fate.created != 1 or fate.readied != 1:
            yield f"{name} was created {fate.created} and ready {fate.readied} times"
        if fate.trouble:
            yield f"{name} cannot be looked at: {fate.trouble}"
            continue
        yield from (f"{name}: {wrong}" for wrong in _wrong(fate, run.wanted[fate.clip]))


def _wrong(fate: Fate, wanted: Wanted) -> Iterator[str]:
    if fate.frames != wanted.frames:
        yield f"{fate.frames} frames planned instead of {wanted.frames}"
    if fate.warnings != wanted.warnings:
        yield f"warnings {fate.warnings}"
    tracks = fate.tracks or {}
    names = {f"{rung}.mp4" for rung in wanted.rungs} | {f"hls/{rung}" for rung in wanted.rungs}
    names |= {"hls/audio"} if wanted.sound else set()
    if set(tracks) != names:
        yield f"tracks {sorted(tracks)} instead of {sorted(names)}"
    for track_name, track in tracks.items():
        sound_alone = track_name == "hls/audio"
        if track.complaint:
            yield f"{track_name} does not decode: {track.complaint}"
        if track.frames != (0 if sound_alone else wanted.frames):
            yield f"{track_name} has {track.frames} frames instead of {wanted.frames}"
        if track.sound != (sound_alone or (wanted.sound and track_name.endswith(".mp4"))):
            yield f"{track_name} has {'' if track.sound else 'no '}sound"


def _of_work(run: Run) -> Iterator[str]:
    yield from (f"{end.part} ended by itself at {end.at:.1f}" for end in run.own_ends)
    for blow, count in Counter(one.cause for one in run.repeated if one.cause is not None).items():
        if blow.kind in KILLS and count > MOST_REPEATED:
            yield f"{count} pieces were encoded again after one {blow.kind} at {blow.at:.1f}"
    for one in run.recoveries:
        piece = "/".join(one.held.piece)
        if one.offered is None:
            yield f"{piece}, held at a {one.blow.kind}, was never seen to go on"
        limit = TARGETS.get(one.blow.kind)
        alone = not one.disturbed and not one.again
        if alone and limit is not None and one.offered is not None and one.offered > limit + BUSY_SECONDS:
            yield f"{piece} lay still for {one.offered:.1f} s after {one.blow.kind} at {one.blow.at:.1f}"


def _of_remains(remains: Remains) -> Iterator[str]:
    for name in ("messages", "keys", "objects", "scratch", "processes", "slow_stops", "sums"):
        found = getattr(remains, name)
        if found:
            yield f"{len(found)} {name.replace('_', ' ')}: {', '.join(found[:10])}"
