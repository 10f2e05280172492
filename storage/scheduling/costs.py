"""What a job costs in encoder-seconds, seconds of one encoder slot. Pure.

A plan has a nominal cost, that of the machine on which the figures below were measured. How much longer this
installation takes is its pace, measured from the jobs it finished: so machine, preset and what people upload are in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, median

from storage.model.job import Job, JobState, Priority
from storage.model.plan import HDR_TRANSFERS, Plan
from storage.scheduling.density import NOTHING_LEARNED, BitDensity, fit_density

# Measured (docs/encoding-why.md): each ffmpeg takes half a second of CPU until its first picture; the ladder of a 1080p
# picture takes 57 ms, 6 ms of them decoding; tone-mapping one to SDR 43 ms.
START_SECONDS = 0.5
# What every job costs besides, however short: poster, sound, reading and storing. Without it clips of 2 s cost 2.3 to
# 2.8 times what was expected and those of 20 s 1.3 times (docs/simulation-why.md).
ONCE_SECONDS = 2.5
ENCODED_PIXELS_PER_SECOND = 67e6
DECODED_PIXELS_PER_SECOND = 345e6
TONE_MAPPED_PIXELS_PER_SECOND = 48e6

# The most that a byte is ever counted with: a slide show of 1080p at 100 kbit/s. A few megabytes that are twelve hours
# must not make everybody else's megabytes look like days.
MOST_SECONDS_PER_BYTE = 1.5e-4
# Encoder-seconds per byte of an original before any job was finished: 1.7 for a second of 1080p at 9 Mbit/s, which lies
# between what cameras and downloads have.
SECONDS_PER_BYTE = 1.5e-6

CALIBRATED_BY = 20  # finished jobs that the pace rests on: enough to smooth, few enough to follow a change
# What a job may cost at most, times the estimate: files with few bits for many pictures before there is any plan, and a
# machine at half the speed of the one measured before there is any picture.
DOUBT_OF_BYTES, DOUBT_OF_PACE = 3.0, 2.0
# Of a job under way, nominal: with less done, its pace is that of ffmpeg's starts.
LEAST_DONE_SECONDS = ONCE_SECONDS + 2.0
# On the machine of the figures above: poster, sound and the short first segment, the start of a job.
FIRST_SECONDS = 2.5
# A job's own pace is believed by how much of it is done; so many nominal seconds weigh as much as the installation's.
OWN_PACE_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class FinishedJob:
    """What a ready job took beside what was expected: encoder-seconds, bytes of the original, times in Unix seconds.

    `nominal` and `measured` are its cost by its plan and by the clock. It was accepted at `queued_at`; what was
    promised then is None for a job that was not promised anything, `begun_at` for one without a picture.
    """

    nominal: float
    measured: float
    size: int
    queued_at: float
    ready_at: float
    begun_at: float | None = None
    promised_start: float | None = None
    promised_ready: float | None = None


@dataclass(frozen=True, slots=True)
class Work:
    """What is known of an unfinished job's work, counted in output frames and encoder-seconds.

    `nominal` is the plan's cost, None before there is one. `frames_finished` of the `frames_done` are in finished
    tasks, which took `measured` seconds in all. `in_flight`, `priority`, `start_target` and `target` are the job's.
    `cost` are the encoder-seconds of the whole job as they were estimated last, `start_cost` those of its start, and
    `told` what its bytes let expect when it was accepted; 0 before the first estimate.
    `held` are field and attempt of the tasks being worked on; `out` are field, and output frames still to be made, of
    the tasks of encoding that were handed out and are not finished.
    """

    job_id: str
    owner: str
    state: JobState
    size: int
    nominal: float | None = None
    segments: int = 0
    frames: int = 0
    frames_done: int = 0
    frames_finished: int = 0
    measured: float = 0.0
    in_flight: float = 1.0
    priority: Priority = Priority.NORMAL
    start_target: float = 0.0
    target: float = 0.0
    cost: float = 0.0
    start_cost: float = 0.0
    told: float = 0.0
    held: tuple[tuple[str, str], ...] = ()
    out: tuple[tuple[str, int], ...] = ()

    @property
    def begun(self) -> bool:
        """Tell whether an encoder has made a picture of it."""
        return self.frames_done > 0

    @property
    def waits(self) -> bool:
        """Tell whether encoders have still to begin with it."""
        return not self.begun and self.state is not JobState.PACKAGING

    @property
    def nominal_done(self) -> float:
        """Nominal cost of the tasks that are finished; what every job costs once comes with its first pictures."""
        if not (self.nominal and self.frames and self.frames_finished):
            return 0.0
        once = min(ONCE_SECONDS, self.nominal)
        return once + (self.nominal - once) * self.frames_finished / self.frames

    @property
    def left(self) -> float:
        """Part of the encoding that is still to be done, 0..1."""
        if self.state is JobState.PACKAGING:
            return 0.0
        return 1.0 - min(1.0, self.frames_done / self.frames) if self.frames else 1.0

    @property
    def cost_left(self) -> float:
        """Estimated encoder-seconds that the job still needs."""
        return self.cost * self.left

    @property
    def start_left(self) -> float:
        """Those of them that its start needs: 0 once it has begun."""
        return min(self.cost_left, self.start_cost) if self.waits else 0.0


@dataclass(frozen=True, slots=True)
class Estimate:
    """What is expected of a job, in encoder-seconds: its `cost`, that of its `start`, what its bytes `told`.

    `delay` are the seconds by which its target lies behind that of its start if its owner has no other job.
    """

    cost: float
    start: float
    told: float
    delay: float


@dataclass(frozen=True, slots=True)
class Calibration:
    """What this installation has measured: seconds for a nominal one, for a byte, and of a whole job on average.

    `bit_density` tells how a job's pace differs from that by the bits of its original. Jobs may turn out to cost
    `doubt` times the estimate; it is 1 once there is anything to estimate by.
    """

    pace: float = 1.0
    per_byte: float = SECONDS_PER_BYTE
    per_job: float | None = None
    doubt: float = DOUBT_OF_BYTES
    bit_density: BitDensity = NOTHING_LEARNED


NOTHING_MEASURED = Calibration()


def nominal_cost(plan: Plan) -> float:
    """Return the encoder-seconds of all of the plan's tasks on the machine of the figures above."""
    return ONCE_SECONDS + START_SECONDS * plan.segment_count + picture_cost(plan) * plan.frames


def picture_cost(plan: Plan) -> float:
    """Return the encoder-seconds of one picture in all of the plan's rungs on that machine."""
    decoded = plan.video.width * plan.video.height
    return encoding_cost(plan) + decoded / DECODED_PIXELS_PER_SECOND


def decoding_cost(plan: Plan) -> float:
    """Return the encoder-seconds of decoding the largest of the source's pictures."""
    sizes = [plan.video.width * plan.video.height, *(shape.width * shape.height for shape in plan.video.shapes)]
    return max(sizes) / DECODED_PIXELS_PER_SECOND


def encoding_cost(plan: Plan) -> float:
    """Return the encoder-seconds of one picture in all rungs once it is decoded."""
    encoded = [rung.width * rung.height for rung in plan.rungs]
    cost = sum(encoded) / ENCODED_PIXELS_PER_SECOND
    if plan.video.colour.transfer in HDR_TRANSFERS:
        cost += max(encoded) / TONE_MAPPED_PIXELS_PER_SECOND
    return cost


def planned_work(job: Job, plan: Plan) -> Work:
    """Return the work of a job that was planned this moment."""
    return Work(
        job_id=job.id,
        owner=job.owner,
        state=JobState.ENCODING,
        size=job.size,
        nominal=nominal_cost(plan),
        segments=plan.segment_count,
        frames=plan.frames,
        in_flight=job.in_flight,
        priority=job.priority,
        start_target=job.start_target,
        target=job.target,
    )


def calibrate(finished: Sequence[FinishedJob], backlog: Sequence[Work] = ()) -> Calibration:
    """Return what this installation has measured: of the jobs finished last (newest first), and of those under way.

    What is planned or begun counts as far as it is known, so that a fresh installation learns with its first jobs.
    Medians, so that one odd file does not move every other one's estimate.
    """
    told = [job for job in finished[:CALIBRATED_BY] if job.measured > 0 and job.nominal > 0 and job.size > 0]
    known = [work for work in backlog if work.nominal and work.size][-CALIBRATED_BY:]
    ended = [job.measured / job.nominal for job in told]
    paces = ended + [work.measured / work.nominal_done for work in known if work.nominal_done >= LEAST_DONE_SECONDS]
    pace = median(paces) if paces else 1.0
    per_byte = [job.measured / job.size for job in told]
    # What was only planned is somebody's word: it counts as long as too little was done to go by.
    few = known[: CALIBRATED_BY - len(told)]
    per_byte += [work.nominal * pace / work.size for work in few if work.nominal]
    return Calibration(
        pace=pace,
        per_byte=min(median(per_byte), MOST_SECONDS_PER_BYTE) if per_byte else SECONDS_PER_BYTE,
        per_job=fmean(job.measured for job in told) if told else None,
        doubt=1.0 if paces else DOUBT_OF_PACE if per_byte else DOUBT_OF_BYTES,
        bit_density=fit_density([density(job.size, job.nominal) for job in told], ended),
    )


def density(size: int, nominal: float) -> float:
    """Return the bytes of an original of `size` for a second of a plan's cost, but for what every job costs once."""
    return size / max(START_SECONDS, nominal - ONCE_SECONDS)


def cost_of_bytes(size: int, known: Calibration) -> float:
    """Return the estimated encoder-seconds of an original of which nothing but its size in bytes is known."""
    return START_SECONDS * known.pace + size * known.per_byte


def whole_cost(work: Work, known: Calibration) -> float:
    """Return the encoder-seconds of the whole job by its plan, else by its bytes, as they are to be estimated now."""
    if work.nominal is None:
        return cost_of_bytes(work.size, known)
    expected = known.pace * known.bit_density.slowdown(density(work.size, work.nominal))
    pace = (work.measured + OWN_PACE_SECONDS * expected) / (work.nominal_done + OWN_PACE_SECONDS)
    return work.nominal * pace
