"""How much processor time a task may take: many times what its plan says it costs. Pure.

The plan rests on what the file says of itself. Where that is not true, a small file may take hours; so what a task
really takes is counted while its tools run (workers.sandbox.cpu_watch), and beyond its budget it ends, and its job.

    budget = FLOOR_SECONDS + speed x (MULTIPLE x what the plan says + what the file's bytes may take besides)

docs/work-budgets.md has the figures that the constants come from.
"""

from __future__ import annotations

from storage.media_errors import TooCostlyError
from storage.model.plan import Plan, Segment
from storage.scheduling.costs import Calibration, decoding_cost, encoding_cost, nominal_cost
from storage.scheduling.forecast import PACKAGE_SHARE
from workers.ffmpeg.stills import LATEST_MOMENT_SECONDS, MOMENTS

# Starting ffmpeg takes half a second, and a task starts it five times at most. On a machine with thirty programs a core
# that took up to three times as much. Ten seconds more in a slot are less than a segment takes, so nobody notices.
FLOOR_SECONDS = 10.0
# Honest jobs take up to twice what their plan says (a dash camera in the dark; deinterlacing), a busy machine with two
# threads a core counts twice as much for the same, and the first jobs of a machine half as fast do again.
MULTIPLE = 8.0
# The slowest decoder that people bring, JPEG 2000, takes so many bytes a second; lossless H.264 three times as many.
# Whoever wants this part of the budget pays for it in bytes.
DECODED_BYTES_PER_SECOND = 2.5e6
READ_BYTES_PER_SECOND = 200e6  # of a whole original, where seeking reads it from the beginning
# How many times as many pictures and bytes as on average a part of a file may hold: screencasts stand and then move.
VARIES = 4.0
PREROLL_SECONDS = 2.0  # decoded ahead of a seek and behind the end: margins, and pictures that are held back
SOUND_SHARE = 0.02  # for a second of sound: stereo takes a quarter of it, eight channels that are mixed all
LOOKS = 3  # decodings by a look at damage: with who complains, with errors concealed and without

# Before there is a plan: twelve hours at 60 pictures a second take a minute to be listed, and looks another.
PLAN_FLOOR_SECONDS = 120.0
PLAN_CEILING_SECONDS = 1800.0  # 64 GiB are listed in three minutes; what takes ten times as long keeps others waiting

# Until a job was finished nothing is known of the machine: as for estimates by bytes (storage.scheduling.costs).
UNMEASURED = 3.0
# A pace is what jobs took, so whoever brings costly ones raises it for all: no further than that.
MOST_PACE = 10.0
# Times veryfast, as measured on two clips (docs/encoding-figures.md); `slow` takes a quarter more than `medium`.
PRESET_COST = {"superfast": 1.0, "veryfast": 1.0, "faster": 1.6, "fast": 2.0, "medium": 2.5, "slow": 3.2}


def speed(known: Calibration, preset: str) -> float:
    """Return how many times as long as on the machine of the figures a task may take here with this x264 preset.

    A faster machine is no reason for a smaller budget: pace is time on a clock, and several threads make that shorter.
    """
    least = PRESET_COST[preset]
    if known.per_job is None:
        return UNMEASURED * least
    return min(max(known.pace, least), MOST_PACE * least)


def check_affordable(plan: Plan, most_hours: int) -> None:
    """Raise TooCostlyError for a plan of more than so many encoder-hours, on the machine of the figures.

    Not at this installation's pace: what is taken today is to be taken tomorrow, whoever brought what in between.
    """
    hours = nominal_cost(plan) / 3600
    if hours > most_hours:
        raise TooCostlyError(hours=hours, limit=most_hours)


def planning_budget(size: int) -> float:
    """Return the CPU seconds of planning an original of so many bytes; there is no plan to go by."""
    return min(PLAN_CEILING_SECONDS, PLAN_FLOOR_SECONDS + MULTIPLE * size / READ_BYTES_PER_SECOND)


def segment_budget(plan: Plan, segment: Segment, size: int, speed: float) -> float:
    """Return the CPU seconds of a segment of an original of `size` bytes.

    A file in one piece may have to be encoded twice, and its sound decoded (workers.stages.standing).
    """
    work = encoding_cost(plan) * segment.frames + decoding_cost(plan) * _pictures(plan, segment)
    if plan.segment_count == 1:
        work = 2 * work + SOUND_SHARE * plan.duration
    return _budget(work, size, _bytes(plan, segment, size), speed)


def look_budget(plan: Plan, segment: Segment, size: int, speed: float) -> float:
    """Return the CPU seconds of a look at the damage of a segment's pictures."""
    work = LOOKS * decoding_cost(plan) * _pictures(plan, segment)
    return _budget(work, size, LOOKS * _bytes(plan, segment, size), speed)


def audio_budget(plan: Plan, size: int, speed: float) -> float:
    """Return the CPU seconds of a job's sounds, or of a look at the damage of one."""
    versions = len(plan.audio) + sum(audio.surround_bitrate > 0 for audio in plan.audio)
    return _budget(SOUND_SHARE * versions * plan.duration, size, 0.0, speed)


def poster_budget(plan: Plan, size: int, speed: float) -> float:
    """Return the CPU seconds of a poster: at worst each moment is decoded up to from the beginning of the file."""
    seconds = min(plan.duration, LATEST_MOMENT_SECONDS)
    share = seconds / plan.duration
    work = len(MOMENTS) * decoding_cost(plan) * _pictures_of(plan) * share
    return _budget(work, size, len(MOMENTS) * size * share, speed)


def subtitles_budget(tracks: int, size: int, speed: float) -> float:
    """Return the CPU seconds of taking out tracks of text: the original is read once, perhaps for each once more."""
    return FLOOR_SECONDS + speed * (1 + tracks) * size / READ_BYTES_PER_SECOND


def package_budget(plan: Plan, speed: float) -> float:
    """Return the CPU seconds of joining what was made: it reads nothing of the original."""
    return _budget(PACKAGE_SHARE * nominal_cost(plan), 0, 0.0, speed)


def _budget(work: float, size: int, decoded_bytes: float, speed: float) -> float:
    besides = decoded_bytes / DECODED_BYTES_PER_SECOND + size / READ_BYTES_PER_SECOND
    return FLOOR_SECONDS + speed * (MULTIPLE * work + besides)


def _pictures(plan: Plan, segment: Segment) -> float:
    """Return how many of the source's pictures the segment may have to decode."""
    return _pictures_of(plan) * _part(plan, segment)


def _pictures_of(plan: Plan) -> int:
    """Return the source's pictures; plans of earlier versions do not tell them."""
    return plan.video.pictures or plan.frames


def _bytes(plan: Plan, segment: Segment, size: int) -> float:
    return size * _part(plan, segment)


def _part(plan: Plan, segment: Segment) -> float:
    """Return which part of the source a segment decodes at most, 0..1."""
    begins = 0.0 if segment.seek is None else max(0.0, segment.seek - plan.video.start_time)
    ends = float((segment.first_frame + segment.frames) / plan.rate)
    return min(1.0, VARIES * (ends - begins + 2 * PREROLL_SECONDS) / plan.duration)
