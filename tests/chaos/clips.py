"""What people upload: small clips in several containers, sizes and rates, and what must become of each.

One takes three parts of an upload and comes slowly, so that it is encoded while it comes.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from storage.model.plan import Plan
from storage.settings import Settings
from tests.support.clips import make_clip
from workers.planning.make_plan import PlanLimits
from workers.planning.plan_file import plan_file
from workers.sandbox.run import Watch

MIB = 1024 * 1024
# Beyond two parts of an upload, so that uploads are cut between parts too.
PADDED_BYTES = 20 * MIB
# Noise, so that small pictures, cheap to encode, are 20 MB: three parts, and early work from the first megabyte on.
LARGE_SECONDS, LARGE_RATE = 24, "7M"
LARGE_PIECE_SECONDS = 0.2  # 16 s for all of it, breaks aside


@dataclass(frozen=True, slots=True)
class Clip:
    """A file and its plan as made in peace: every job of it must come to these frames, rungs and sound.

    One that comes slowly takes `piece_seconds` for each piece, and goes by tus.
    """

    path: Path
    plan: Plan
    piece_seconds: float = 0.0

    @property
    def name(self) -> str:
        """Its file name."""
        return self.path.name

    @property
    def rungs(self) -> tuple[str, ...]:
        """Names of the rungs it must have."""
        return tuple(rung.name for rung in self.plan.rungs)


@dataclass(frozen=True, slots=True)
class _Wanted:
    name: str
    seconds: float
    size: str = "320x180"
    rate: str = "30"
    audio: bool = True


_WANTED = (
    _Wanted("small.mp4", 3),
    _Wanted("silent.mov", 8, "854x480", "24000/1001", audio=False),
    _Wanted("stream.ts", 6, "640x360", "50"),
    _Wanted("film.mkv", 12, "640x360", "25"),
    _Wanted("hd.mp4", 4, "1280x720", "30"),
    _Wanted("padded.mp4", 5, "480x270", "30000/1001"),
)


_TINY = _Wanted("tiny.mp4", 1, "160x90", audio=False)


def tiny_clip(folder: Path) -> Clip:
    """Write the clip of which thousands wait, and plan it."""
    return _made(folder, _TINY)


def make_clips(folder: Path) -> tuple[Clip, ...]:
    """Write all clips and plan each."""
    with ThreadPoolExecutor() as pool:
        large = pool.submit(_large, folder / "large.mp4")
        return (*pool.map(lambda wanted: _made(folder, wanted), _WANTED), large.result())


def _large(path: Path) -> Clip:
    picture = f"testsrc2=size=320x180:rate=25:duration={LARGE_SECONDS},noise=alls=80:allf=t"
    sound = f"sine=frequency=440:sample_rate=48000:duration={LARGE_SECONDS}"
    inputs = [part for source in (picture, sound) for part in ("-f", "lavfi", "-i", source)]
    codec = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", "50", "-b:v", LARGE_RATE]
    subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-y", *inputs, *codec, "-c:a", "aac", str(path)], check=True)
    return Clip(path, plan_of(path), LARGE_PIECE_SECONDS)


def _made(folder: Path, wanted: _Wanted) -> Clip:
    path = folder / wanted.name
    make_clip(path, seconds=wanted.seconds, size=wanted.size, rate=wanted.rate, audio=wanted.audio)
    if path.stem == "padded":
        with path.open("ab") as file:
            file.writelines(_free_box(PADDED_BYTES))
    return Clip(path, plan_of(path))


def plan_of(path: Path) -> Plan:
    """Return the plan that a worker makes of this file, for one slot."""
    settings = Settings()
    limits = PlanLimits(settings.max_source_pixels, settings.max_source_seconds, settings.encode_preset, slots=1)
    return plan_file(str(path), limits, Watch())[0]


def _free_box(size: int) -> Iterator[bytes]:
    """Yield an MP4 box that every reader skips."""
    yield size.to_bytes(4, "big") + b"free" + bytes(size - 8)
