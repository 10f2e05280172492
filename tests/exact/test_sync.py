"""Flashes and beeps through the real stages in many segments: in time in every MP4 and through the playlists."""

from __future__ import annotations

import math
import subprocess
from array import array
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import pytest

from storage.model.job import Job, JobState
from storage.model.plan import AUDIO, Plan
from storage.services import Services
from storage.settings import Settings
from tests.support.driving import drive
from tests.support.exactness import SLOTS, local_services
from tests.support.fragments import read_fragmented
from tests.support.hls import read_playlist
from tests.support.looking import SAMPLE_RATE, beeps, flash_frames, flashes, samples
from tests.support.results import made

pytestmark = [pytest.mark.exact, pytest.mark.timeout(600)]

SYNC_SECONDS = 0.020  # half of what people notice
SECONDS = 8
FREQUENCY = 440
WINDOW = SAMPLE_RATE // 40  # 25 ms: 11 whole periods of the tone
EDGE = SAMPLE_RATE // 10  # encoders fade in and out within less


@dataclass(frozen=True)
class Case:
    """How a source is made: its rate, filters that cut picture or sound, the muxer's options.

    `beeps` are those that are left, the first `alone` of them before the pictures begin; `edited` has its beginning cut
    off by an edit list.
    """

    name: str
    rate: str = "25"
    picture: str = "null"
    sound: str = "anull"
    output: str = ""
    edited: bool = False
    beeps: int = SECONDS
    alone: int = 0


CASES = (
    Case("whole.mp4"),
    Case("film.mp4", rate="24000/1001"),
    Case("fast.mp4", rate="60000/1001"),
    Case("matroska.mkv", rate="30"),
    Case("offset.ts", output="-output_ts_offset 10"),
    Case("edited.mp4", rate="30", edited=True, beeps=SECONDS - 2),
    Case("late_sound.mp4", sound="atrim=start=0.7", beeps=SECONDS - 1),
    Case("late_sound.ts", sound="atrim=start=0.7", output="-output_ts_offset 10", beeps=SECONDS - 1),
    Case("late_picture.mkv", rate="30", picture="trim=start=0.3", alone=1),
    Case("late_picture.mp4", rate="30", picture="trim=start=0.3", alone=1),
)


def flash_and_beep(path: Path, case: Case) -> Path:
    """Write a clip that flashes and beeps at the same moments: with every so many frames, about a second apart."""
    rate = Fraction(case.rate)
    every = round(rate)
    period = float(every / rate)
    bright = f"geq=lum='255*lt(mod(N,{every}),3)':cb=128:cr=128"
    picture = f"color=black:size=320x180:rate={case.rate}:duration={SECONDS},{bright}"
    sound = f"aevalsrc='0.5*sin(2*PI*1000*t)*lt(mod(t,{period}),0.09)':sample_rate=48000:duration={SECONDS}"
    encoded = f"-c:v libx264 -preset veryfast -bf 3 -g {every} -pix_fmt yuv420p -c:a aac -b:a 128k -vsync passthrough"
    command = ["ffmpeg", "-nostdin", "-v", "error", "-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", sound]
    command += ["-vf", case.picture, "-af", case.sound, *encoded.split(), *case.output.split(), str(path)]
    subprocess.run(command, check=True, timeout=60)
    return path


def edited(source: Path, target: Path) -> Path:
    """Cut the beginning off without encoding, amid a group of pictures: an edit list hides what is before."""
    command = ["ffmpeg", "-nostdin", "-v", "error", "-ss", "1.5", "-i", str(source), "-c", "copy", str(target)]
    subprocess.run(command, check=True, timeout=60)
    assert b"elst" in target.read_bytes()
    return target


def ready(source: Path, folder: Path) -> tuple[Services, Job, Plan]:
    """Take the clip through all stages in many segments."""
    services = local_services(folder, SLOTS)
    job = drive(services, Settings(data_dir=folder / "data"), source)
    assert (job.state, job.error, job.warnings) == (JobState.READY, None, ())
    assert job.plan is not None
    assert job.plan.segment_count > SECONDS / 2
    return services, job, job.plan


def sound_of_playlist(services: Services, job: Job, folder: Path) -> Path:
    """Return all that the sound's playlist names as one file; its first sample is the timeline's first moment."""
    path = folder / "playlist_sound.mp4"
    path.write_bytes(read_playlist(made(services, job, f"hls/{AUDIO}/index.m3u8")).whole)
    assert read_fragmented(path).times[0] == 0
    return path


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_flash_and_beep_stay_together(case: Case, tmp_path: Path, say: Callable[[str], None]) -> None:
    """Each beep that is left lies within 20 ms of a flash, in the MP4 and through the playlists."""
    source = flash_and_beep(tmp_path / case.name, case)
    if case.edited:
        source = edited(source, tmp_path / f"cut_{case.name}")
    services, job, plan = ready(source, tmp_path)
    rung = plan.rungs[-1].name
    target = made(services, job, f"{rung}.mp4")
    in_mp4 = offsets(flashes(target), beeps(target))
    # By the boxes, which test_exact proves to lie on the grid: frame n shows at n / rate.
    playlist = made(services, job, f"hls/{rung}/index.m3u8")
    shown = [float(frame / plan.rate) for frame in flash_frames(playlist)]
    in_playlist = offsets(shown, beeps(sound_of_playlist(services, job, tmp_path)))
    say(f"{case.name:20} {plan.segment_count:2} segments, beep - flash: MP4 {ms(in_mp4)}, HLS {ms(in_playlist)}")
    for found in (in_mp4, in_playlist):
        assert len(found) == case.beeps
        assert max(map(abs, found[case.alone :])) <= SYNC_SECONDS


def offsets(flashed: list[float], beeped: list[float]) -> list[float]:
    """Return for each beep how long after the nearest flash it begins, seconds."""
    return [min((beep - flash for flash in flashed), key=abs) for beep in beeped]


def ms(found: list[float]) -> str:
    """Return the extremes in milliseconds."""
    return f"{min(found) * 1e3:+5.1f} .. {max(found) * 1e3:+5.1f} ms"


@pytest.mark.parametrize("rate", ["25", "30000/1001"])
def test_a_tone_has_no_gap(rate: str, tmp_path: Path, say: Callable[[str], None]) -> None:
    """A continuous tone stays one, across all joins of pictures and parts of sound: no silence, no step, no fade."""
    tone = f"sine=frequency={FREQUENCY}:sample_rate=48000:duration=12,volume=4"
    picture = f"testsrc2=size=320x180:rate={rate}:duration=12"
    command = ["ffmpeg", "-nostdin", "-v", "error", "-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", tone]
    source = tmp_path / "tone.mp4"
    subprocess.run([*command, "-c:v", "libx264", "-preset", "veryfast", "-c:a", "aac", source], check=True, timeout=60)
    services, job, plan = ready(source, tmp_path)
    assert len(read_playlist(made(services, job, f"hls/{AUDIO}/index.m3u8")).fragments) > 1
    for name, path in (
        ("MP4", made(services, job, f"{plan.rungs[0].name}.mp4")),
        ("HLS", sound_of_playlist(services, job, tmp_path)),
    ):
        heard = samples(path)[EDGE:-EDGE]
        assert len(heard) == pytest.approx(12 * SAMPLE_RATE - 2 * EDGE, abs=SAMPLE_RATE / 20)
        loud = [loudness(heard[start : start + WINDOW]) for start in range(0, len(heard) - WINDOW, WINDOW)]
        typical = sorted(loud)[len(loud) // 2]
        step = max(abs(after - before) for before, after in pairwise(heard))
        # A sine's steepest step, from its amplitude.
        steepest = typical * math.sqrt(2) * 2 * math.pi * FREQUENCY / SAMPLE_RATE
        say(
            f"tone {rate:11} {name}: loudness {min(loud) / typical:.3f} .. {max(loud) / typical:.3f} of its median,"
            f" steepest step {step / steepest:.3f} of a sine's"
        )
        assert min(loud) > 0.95 * typical
        assert max(loud) < 1.05 * typical
        assert step < 1.1 * steepest


def loudness(heard: array[int]) -> float:
    """Return the root mean square of the samples."""
    return math.sqrt(sum(sample * sample for sample in heard) / len(heard))
