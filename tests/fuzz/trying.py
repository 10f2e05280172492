"""One mutated upload through probe and plan: it becomes a plan, or an error of the tree that says what it is.

It is also planned as if only some of it had come, which may never end but in a plan or in none.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from storage.errors import ToolError
from storage.media_errors import MediaError
from tests.fuzz.mutations import mutated
from tests.support.early import ComingFile
from workers.ffmpeg.needed_bytes import needed_of_segments, needed_of_sound
from workers.planning.early import early_plan
from workers.planning.make_plan import PlanLimits
from workers.planning.plan_file import ConcealError, plan_file
from workers.sandbox.run import Watch

LIMITS = PlanLimits(max_pixels=8192 * 4352, max_seconds=12 * 3600, preset="veryfast", slots=2)
MOST_SECONDS = 150.0  # of one upload: streams and looks have 60 s each
SHARES = 10  # of an upload that is planned before it is whole
_PICTURES = ("-f", "lavfi", "-i", "testsrc2=size=96x64:rate=25:duration=0.6")
_SOUND = ("-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000:duration=0.6")
_FILES = {
    "mp4": "-c:v libx264 -preset ultrafast -c:a aac",
    "fragments.mp4": "-c:v libx264 -preset ultrafast -c:a aac -movflags +frag_keyframe+empty_moov",
    "mov": "-c:v mjpeg -pix_fmt yuvj420p -c:a pcm_s16le",
    "mkv": "-c:v libx264 -preset ultrafast -c:a flac",
    "webm": "-c:v libvpx -deadline realtime -c:a libopus",
    "ts": "-c:v mpeg2video -c:a mp2",
    "mpg": "-c:v mpeg1video -c:a mp2",
    "avi": "-c:v mpeg4 -c:a libmp3lame",
    "flv": "-c:v flv -c:a libmp3lame -ar 44100",
    "wmv": "-c:v wmv2 -c:a wmav2",
    "ogv": "-c:v libtheora -c:a libvorbis",
    "nut": "-c:v mpeg4 -c:a aac",
    "gif": "-an",
    "apng": "-an -f apng",
    "m2v": "-an -c:v mpeg2video",
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """How the upload of a seed ended: a code, "plan", or what is `wrong`."""

    seed: int
    end: str
    wrong: str = ""


def make_sources(folder: Path) -> list[bytes]:
    """Return one small file of each container."""
    for suffix, options in _FILES.items():
        command = ["ffmpeg", "-nostdin", "-v", "error", "-y", *_PICTURES, *_SOUND, *options.split()]
        subprocess.run([*command, str(folder / f"source.{suffix}")], check=True, timeout=60)
    return [(folder / f"source.{suffix}").read_bytes() for suffix in _FILES]


def attempt(seed: int, sources: Sequence[bytes], folder: Path) -> Outcome:
    """Plan the upload of the seed; what is not of the error tree, or takes too long, is wrong."""
    path = folder / f"upload-{seed}"
    path.write_bytes(mutated(seed, sources))
    began = time.monotonic()
    try:
        end = _planned(path)
        _plan_early(path, seed)
    except Exception as error:  # noqa: BLE001 - exactly what is looked for
        return Outcome(seed, "wrong", f"{type(error).__name__}: {error}")
    finally:
        path.unlink()
    took = time.monotonic() - began
    return Outcome(seed, end, f"took {took:.0f} s" if took > MOST_SECONDS else "")


def _plan_early(path: Path, seed: int) -> None:
    """Plan the upload with its index ahead, as some share of it has come, and reckon what its segments need."""
    coming = ComingFile(path)
    size = len(coming.data)
    found = early_plan(coming.guess(size * (seed % SHARES) // SHARES), LIMITS, Watch())
    if found is not None:
        needed = needed_of_segments(found.plan, found.segments, found.listing, size)
        assert len(needed) == found.plan.segment_count, "as many needs as segments"
        needed_of_sound(found.plan, found.listing, size)


def _planned(path: Path) -> str:
    try:
        plan_file(str(path), LIMITS, Watch())
    except MediaError as error:
        return error.code
    except ToolError as error:  # tried again by the pipeline, as it may be the machine; a crash is told by `killed`
        return f"{error.code}{' (killed)' if error.killed else ''}"
    except ConcealError:
        return "concealed"
    return "plan"
