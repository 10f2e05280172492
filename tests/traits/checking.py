"""One combination: made, taken through the real stages, and compared with what is right in MP4 and playlists."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from storage.broker.contract import QUEUES
from storage.model.job import Job, JobState
from storage.model.task import Stage
from storage.services import Services
from storage.services.dispatch import dispatch
from storage.settings import Settings
from tests.support.coded import beeps_in, places_in
from tests.support.coded_results import SAMPLE_RATE, Decoded, decoded_ways
from tests.support.coded_truth import Truth, unlike
from tests.support.driving import resume, submit
from tests.support.exactness import local_services
from tests.support.memory_publisher import MemoryPublisher
from tests.traits.making import OTHER, SIZES, make
from tests.traits.timeline import BEEPS_OF_A_PART, PICTURES_OF_A_PART, ROUGHLY, recording, truth_of
from tests.traits.traits import Traits
from tests.traits.words import words_unlike
from workers.attempts.attempt import attempt_task
from workers.attempts.fallback import go_without
from workers.stages import STAGES

SLOTS = 1  # two segments: every further one costs a tenth of a second
CUT_LOOSE_SECONDS = 0.4  # the last group of packets before a cut may be lost
ENOUGH_FOR_A_RATE = 10  # pictures: of fewer, those of a reordered group that are missing change the average
CUT_MAY_MISS = 6  # pictures
LONGEST_SECONDS = 300  # no clip is longer; without a limit a jump that is not seen costs a minute of encoding
SOUND_MISSING, SOUND_CHANGES, MISREAD = "sound_missing", "sound_changes", "audio_misread"
PAUSING = frozenset({"opus"})  # callers send nothing while they are silent, so that a hole is none to be told
TOLD_HOLE = 1.0  # seconds: a hole that long is heard
TOLD_END = 1.2  # seconds: headers and packets of whole files may differ by nearly one
TOLD_WITHIN = 0.3  # seconds that a told place may lie off: packets are long, and so may be a first frame
_SHAPE_PIXELS = 3.0  # edges of small pictures on a canvas are found so exactly


@dataclass(frozen=True)
class Outcome:
    """What came of one combination: what is unlike the truth, what warnings there were, how long all took (seconds)."""

    traits: Traits
    unlike: tuple[str, ...]
    warnings: tuple[str, ...]
    seconds: float


def check(traits: Traits, folder: Path) -> Outcome:
    """Make the clip, drive it and compare; the folder is removed afterwards. Raises MakingError."""
    began = time.monotonic()
    folder.mkdir(parents=True)
    try:
        source = make(traits, folder)
        services = local_services(folder, SLOTS)
        job = driven(services, settings_of(folder), source)
        wrong = _wrong(traits, services, job, folder)
        codes = tuple(warning.code for warning in job.warnings)
        return Outcome(traits, tuple(wrong), codes, time.monotonic() - began)
    finally:
        shutil.rmtree(folder)


def settings_of(folder: Path) -> Settings:
    """Return settings of the quickest encoding, under which no clip becomes an hour long by a fault."""
    return Settings(data_dir=folder / "data", encode_preset="superfast", max_source_seconds=LONGEST_SECONDS)


def driven(services: Services, settings: Settings, source: Path) -> Job:
    """Take the file through all stages but the poster, of which nothing is looked at here."""
    publisher = services.publisher
    assert isinstance(publisher, MemoryPublisher)
    job = submit(services, source)
    while True:
        task = next((task for queue in QUEUES if (task := publisher.deliver(queue)) is not None), None)
        if task is None:
            if not resume(services, job):
                return services.jobs.get(job.id)
        elif task.stage is Stage.POSTER:
            go_without(task, services)
            publisher.acknowledge(task)
            dispatch(services)
        else:
            attempt_task(task, STAGES[task.stage], services, settings)
            publisher.acknowledge(task)


def _wrong(traits: Traits, services: Services, job: Job, folder: Path) -> list[str]:
    if traits.container == "fmp4" and traits.cut < 1 and job.error is not None and job.error.code == "not_a_video":
        return []  # ffmpeg opens no fragmented file that ends within a fragment's header
    if traits.cut < 1 and job.error is not None and not _whole_pictures(traits, folder):
        return []
    if job.state is not JobState.READY:
        return [f"{job.state}: {'' if job.error is None else job.error.code}"]
    assert job.plan is not None
    if traits.audio == "pcm24" and not job.plan.audio and MISREAD in {warning.code for warning in job.warnings}:
        traits = traits.silent  # ffmpeg 5.1 reads it as 16 bits, and noise is worse than none
    wrong = _warned(traits, job, lost=truth_of(traits).seconds - _cut(traits, truth_of(traits), folder).seconds)
    for way, decoded in decoded_ways(services, job, job.plan.rungs[-1].name, folder).items():
        wrong += [f"{way}: {sentence}" for sentence in _differs(traits, decoded, folder)]
    for track in range(1, 2 if traits.two_mixes else len(traits.languages)):
        for way, decoded in decoded_ways(services, job, job.plan.rungs[-1].name, folder, track=track).items():
            wrong += [f"{way}, track {track}: {said}" for said in _differs(traits, decoded, folder, track=track)]
    return [*wrong, *words_unlike(traits, services, job)]


def _differs(traits: Traits, decoded: Decoded, folder: Path, *, track: int = 0) -> list[str]:
    upright = replace(decoded, pictures=np.rot90(decoded.pictures, k=traits.turn // 90, axes=(1, 2)))
    if traits.languages:
        truths = [truth_of(traits, track=track)]
    else:
        truths = [_with_sound(_cut(traits, truth_of(traits), folder), track)]
    if traits.programmes == "television":  # either one, as long as picture and sound belong together
        truths.append(_other_programme(truths[0]))
    came = upright.came(framed=truths[0].framed)
    wrong = min((unlike(came, truth) for truth in truths), key=len)
    return [*wrong, *_ears(traits, decoded), *(_shapes(traits, decoded) if truths[0].framed else [])]


def _other_programme(truth: Truth) -> Truth:
    shown = tuple((at, number + OTHER * PICTURES_OF_A_PART) for at, number in truth.shown)
    return replace(_with_sound(truth, 1), shown=shown)


def _with_sound(truth: Truth, track: int) -> Truth:
    """Return the truth of the same pictures with the sound of another track, or of another programme."""
    shift = track * OTHER * BEEPS_OF_A_PART
    return replace(truth, beeps=tuple(replace(beep, k=beep.k + shift) for beep in truth.beeps))


def _ears(traits: Traits, decoded: Decoded) -> list[str]:
    """Both ears hear the same: every clip has one channel, or twice the same."""
    if not traits.two_mixes or decoded.sound is None:
        return []
    left, right = ([beep.k for beep in beeps_in(decoded.sound[:, ear], SAMPLE_RATE)] for ear in (0, 1))
    return [] if left == right else [f"left ear hears {left[:3]}, right ear {right[:3]}"]


def _shapes(traits: Traits, decoded: Decoded) -> list[str]:
    """Each half stands on the canvas in its own shape."""
    plain = (traits.width, traits.height)
    changed = (120, 90) if traits.change == "aspect" else SIZES[traits.change]
    places = places_in(decoded.pictures)
    middle = traits.frames // 2 / float(traits.exact_rate)
    found = list[str]()
    for (width, height), half in ((plain, "first"), (changed, "second")):
        picked = [(at < middle) == (half == "first") and abs(at - middle) > 0.1 for at in decoded.times]
        sizes = np.stack([places[:, 2] - places[:, 0], places[:, 3] - places[:, 1]], axis=1)[picked]
        wrong = np.abs(sizes[:, 0] - sizes[:, 1] * width / height) > _SHAPE_PIXELS * max(1.0, width / height)
        if len(wrong) and wrong.mean() > 0.05:
            seen = sizes[wrong][0]
            found.append(f"{half} half of {width} x {height} stands as {seen[0]} x {seen[1]}")
    return found


def _warned(traits: Traits, job: Job, *, lost: float) -> list[str]:
    """Return what is wrong with the warnings: plain clips have none, what changes or `lost` seconds has some."""
    codes = {warning.code for warning in job.warnings}
    told = [] if (places := _hole_told(traits, job)) is None else [places]
    wanted = (traits.kind.tells_length and lost >= TOLD_END) or traits.change in {"size", "shape", "portrait", "aspect"}
    if wanted and not codes:
        told.append("no warning")
    if traits.change == "channels" and SOUND_CHANGES not in codes:  # a rate is told by some containers only
        told.append("other channels without a warning")
    explained = wanted or traits.parts > 1 or traits.jump[1] or traits.cut < 1 or traits.change
    explained = explained or traits.programmes
    extra = codes - ({SOUND_MISSING} if traits.holes else set()) - ({MISREAD} if not traits.audio else set())
    return [*told, f"warnings: {' '.join(sorted(extra))}"] if extra and not explained else told


def _hole_told(traits: Traits, job: Job) -> str | None:
    """Return what is wrong with the words about a long hole in the sound, None where its place is told."""
    (at, lasting) = max(traits.holes, key=lambda hole: hole[1], default=(0.0, 0.0))
    made = recording(traits)
    ends_in_hole = made.sound is not None and at + lasting > made.sound[1] - made.sound[0]
    if traits.cut < 1 or traits.audio in PAUSING or made.sound is None or lasting < TOLD_HOLE or ends_in_hole:
        return None
    values = next((warning.values for warning in job.warnings if warning.code == SOUND_MISSING), None)
    if values is None:
        return "a hole in the sound is not told"
    place = made.sound[0] - made.begin + at
    is_right = (
        abs(float(values["longest"]) - lasting) <= TOLD_WITHIN and abs(float(values["at"]) - place) <= TOLD_WITHIN
    )
    return None if is_right else f"hole of {lasting} s at {place:.2f} s told as {values}"


def _whole_pictures(traits: Traits, folder: Path) -> int:
    """Return how many pictures lie before the cut."""
    whole = folder / f"clip.{traits.kind.suffix}"
    return sum(end <= whole.stat().st_size * traits.cut for _, end in _packets(whole, "v:0"))


def _cut(traits: Traits, truth: Truth, folder: Path) -> Truth:
    """Return the truth of a clip whose last bytes are missing: only packets before the cut count."""
    if traits.cut >= 1:
        return truth
    whole = folder / f"clip.{traits.kind.suffix}"
    kept = int(whole.stat().st_size * traits.cut)
    pictures, sounds = _packets(whole, "v:0"), _packets(whole, "a:0") if traits.audio else []
    ranked = sorted(range(len(pictures)), key=lambda n: pictures[n][0])
    numbers = {rank for rank, n in enumerate(ranked) if pictures[n][1] <= kept}
    whole_prefix = next((n for n in range(len(ranked)) if n not in numbers), len(ranked))
    last = truth.shown[max(1, whole_prefix) - 1]
    step = float(1 / traits.exact_rate)
    begin = min([pictures[ranked[0]][0], *(time for time, _ in sounds)])
    heard = max([time - begin for time, end in sounds if end <= kept], default=0.0)
    return replace(
        truth,
        beeps=tuple(
            replace(beep, sure=beep.at < heard - CUT_LOOSE_SECONDS)
            for beep in truth.beeps
            if beep.at < heard + CUT_LOOSE_SECONDS
        ),
        ends=(last[0] + step, heard),
        rate=truth.rate if whole_prefix >= ENOUGH_FOR_A_RATE else None,
        rate_within=ROUGHLY,  # pictures of the last group may be missing
        loose=CUT_LOOSE_SECONDS + 3 * step,
        may_miss=CUT_MAY_MISS,
    )


def _packets(path: Path, stream: str) -> list[tuple[float, int]]:
    """Return (time, place of the last byte) of a stream's packets in the order of the file."""
    command = ["ffprobe", "-v", "error", "-select_streams", stream, "-of", "json"]
    command += ["-show_entries", "packet=pts_time,dts_time,pos,size", str(path)]
    listed = subprocess.run(command, check=True, capture_output=True, timeout=60).stdout
    found = list[tuple[float, int]]()
    at, place = 0.0, 0
    for packet in json.loads(listed)["packets"]:  # those without a place or a time are near the one before
        at = float(packet.get("pts_time") or packet.get("dts_time") or at)
        place = int(packet.get("pos") or place) + int(packet["size"])
        found.append((at, place))
    return found
