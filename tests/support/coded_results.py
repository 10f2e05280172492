"""What came out of a job, decoded: through the MP4, and through the playlists as a player fetches them."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from storage.model.job import Job
from storage.model.plan import sound_name
from storage.objects import keys
from storage.services import Services
from tests.support.coded import Planes, beeps_in, numbers_in
from tests.support.coded_truth import Came
from tests.support.fragments import read_fragmented
from tests.support.hls import read_playlist
from tests.support.results import made
from workers.ffmpeg.commands import timescale

SAMPLE_RATE = 48_000
_DEADLINE_SECONDS = 300


@dataclass(frozen=True)
class Decoded:
    """One rung as it is seen and heard: when each picture shows (seconds), grey pictures, both ears or None."""

    times: list[float]
    pictures: Planes
    sound: NDArray[np.float32] | None
    rate: Fraction

    def came(self, *, framed: bool = False) -> Came:
        """Return its numbers and beeps."""
        sound = self.sound
        return Came(
            times=self.times,
            numbers=[int(number) for number in numbers_in(self.pictures, framed=framed)],
            beeps=None if sound is None else beeps_in(sound.mean(axis=1), SAMPLE_RATE),
            rate=self.rate,
            sound_seconds=0.0 if sound is None else len(sound) / SAMPLE_RATE,
        )


def decoded_ways(services: Services, job: Job, rung: str, folder: Path, *, track: int = 0) -> dict[str, Decoded]:
    """Return the rung of a ready job, with a track of its sound, as the MP4 and as the playlists give it.

    The folder gets files of a moment.
    """
    ways = {"MP4": _of_mp4, "HLS": _of_playlists}
    return {name: decode(services, job, rung, folder, track) for name, decode in ways.items()}


def _of_mp4(services: Services, job: Job, rung: str, folder: Path, track: int) -> Decoded:
    assert job.plan is not None
    path, listed = made(services, job, f"{rung}.mp4"), folder / "packets.txt"
    packets = ["-map", "0:v:0", "-c", "copy", "-f", "framecrc", str(listed)]
    size = _size(job, rung)
    heard = track if _has_sound(services, job, track) else None
    pictures, sound = _decode([path], size, folder, extra=packets, track=heard)
    ticks = Fraction(1)
    times = list[float]()
    for line in listed.read_text().splitlines():
        if line.startswith("#tb 0:"):
            ticks = Fraction(line.rpartition(" ")[2])
        elif not line.startswith("#"):
            times.append(float(int(line.split(",")[2]) * ticks))
    return _decoded(times, pictures, sound, job.plan.rate)


def _of_playlists(services: Services, job: Job, rung: str, folder: Path, track: int) -> Decoded:
    assert job.plan is not None
    names = [rung, *([sound_name(track)] if _has_sound(services, job, track) else [])]
    joined = list[Path]()
    for name in names:
        joined.append(folder / f"joined_{name}.mp4")
        joined[-1].write_bytes(read_playlist(made(services, job, f"hls/{name}/index.m3u8")).whole)
    pictures, sound = _decode(joined, _size(job, rung), folder, track=0 if len(joined) > 1 else None)
    ticks = timescale(job.plan)
    times = [time / ticks for time in read_fragmented(joined[0]).times]
    return _decoded(times, pictures, sound, job.plan.rate)


def _decoded(times: list[float], pictures: Planes, sound: NDArray[np.float32] | None, planned: Fraction) -> Decoded:
    """Return them with the rate that the times have; the planned one counts only where there is a single picture."""
    assert len(times) == len(pictures), f"{len(times)} packets became {len(pictures)} pictures"
    shown = sorted(times)
    rate = Fraction((len(shown) - 1) / (shown[-1] - shown[0])) if len(shown) > 1 else planned
    return Decoded(shown, pictures, sound, rate)


def _size(job: Job, rung: str) -> tuple[int, int]:
    assert job.plan is not None
    (found,) = (one for one in job.plan.rungs if one.name == rung)
    return found.width, found.height


def _has_sound(services: Services, job: Job, track: int) -> bool:
    key = keys.rendition(job.id, f"hls/{sound_name(track)}/index.m3u8")
    path = services.objects.local_path(key)
    return path is not None and path.exists()


def _decode(
    paths: Sequence[Path], size: tuple[int, int], folder: Path, *, track: int | None, extra: Sequence[str] = ()
) -> tuple[Planes, NDArray[np.float32] | None]:
    """Return the grey pictures of the first file and both ears of a track of the last."""
    heard = folder / "heard.raw"
    inputs = [argument for path in paths for argument in ("-i", str(path))]
    command = ["ffmpeg", "-nostdin", "-v", "error", "-y", "-copyts", *inputs]
    command += ["-map", "0:v:0", "-vsync", "passthrough", "-pix_fmt", "gray", "-f", "rawvideo", "pipe:1", *extra]
    if track is not None:
        resampled = f"aresample={SAMPLE_RATE}:async=1:first_pts=0"
        command += ["-map", f"{len(paths) - 1}:a:{track}", "-af", resampled, "-ac", "2", "-f", "f32le", str(heard)]
    raw = subprocess.run(command, check=True, capture_output=True, timeout=_DEADLINE_SECONDS).stdout
    width, height = size
    pictures = np.frombuffer(raw, np.uint8).reshape(-1, height, width)
    return pictures, np.fromfile(heard, "<f4").reshape(-1, 2) if track is not None else None
