"""Loudness through the real stages, held against what ffmpeg's own meter tells of source and result."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from storage.model.job import Job, JobState
from storage.model.loudness import HIGHEST_PEAK
from storage.services import Services
from storage.settings import Settings
from tests.support.driving import drive_on, submit
from tests.support.results import made

SECONDS = 12
NEAR, REACHED = 0.1, 0.3  # LU: of the source, and of the target
PEAK_NEAR = 0.2  # dB: peaks are told to a thousandth of full scale
CODED = 0.5  # dB by which coding with loss may raise a peak
PICTURE = f"color=black:s=64x48:r=10:d={SECONDS}"
SPEECH = (
    "anoisesrc=color=pink:seed=1:a=0.5:r=48000,lowpass=f=4000,tremolo=f=0.7:d=0.9,volume=-4dB,"
    "aformat=channel_layouts=stereo"
)
MUSIC = "aevalsrc=0.5*sin(440*2*PI*t)*(0.4+0.6*gt(mod(t\\,4)\\,2))|0.3*sin(660*2*PI*t):s=44100"
# Quiet, but for a clap in each second: what is wanted of it would clip.
CLAPS = "anoisesrc=color=pink:seed=2:a=0.02:r=48000,aeval=val(0)+0.8*lt(mod(t\\,1)\\,0.002):c=same"
SIX = (
    "anoisesrc=color=pink:seed=3:a=0.3:r=48000,lowpass=f=4000,aformat=channel_layouts=mono,"
    "pan=5.1|c0=c0|c1=0.7*c0|c2=c0|c4=0.5*c0|c5=0.5*c0"
)
SILENCE = "anullsrc=r=48000:cl=stereo"


@dataclass(frozen=True)
class Meter:
    """What ffmpeg's meter says at the end: LUFS, LU and dBTP."""

    integrated: float
    range: float
    peak: float


def meter(path: Path | str, *, track: int = 0) -> Meter:
    """Return what ffmpeg's own meter says of a track of sound."""
    measured = f"[0:a:{track}]ebur128=peak=true"
    command = ["ffmpeg", "-nostdin", "-hide_banner", "-i", str(path), "-filter_complex", measured, "-f", "null", "-"]
    said = subprocess.run(command, check=True, capture_output=True, text=True, timeout=120).stderr
    said = said[said.rindex("Summary:") :]
    found = (re.search(rf"{name}:\s+(-?[0-9.]+|-inf) {unit}", said) for name, unit in UNITS)
    return Meter(*(float(one[1]) for one in found if one))


UNITS = (("I", "LUFS"), ("LRA", "LU"), ("Peak", "dBFS"))


def written(path: Path, *sounds: str) -> Path:
    """Write a clip with these tracks of sound (lavfi graphs), without loss."""
    inputs = [part for graph in (PICTURE, *sounds) for part in ("-f", "lavfi", "-i", graph)]
    maps = [part for number in range(len(sounds) + 1) for part in ("-map", str(number))]
    coding = ["-c:v", "libx264", "-preset", "ultrafast", "-c:a", "flac", "-t", str(SECONDS)]
    subprocess.run(["ffmpeg", "-nostdin", "-v", "error", *inputs, *maps, *coding, str(path)], check=True, timeout=120)
    return path


def video_of(services: Services, settings: Settings, path: Path, loudness: int | None) -> tuple[Job, Path]:
    """Return the ready job of a file, and its video."""
    job = drive_on(services, settings, submit(services, path, loudness=loudness))
    assert (job.state, job.error) == (JobState.READY, None)
    return job, made(services, job, f"{job.rungs[0].name}.mp4")


@pytest.mark.parametrize("sound", [SPEECH, MUSIC, CLAPS, SIX], ids=["speech", "music", "claps", "5.1"])
def test_loudness_is_that_of_the_source(sound: str, own_services: Services, settings: Settings, tmp_path: Path) -> None:
    """As it is measured in the pass that encodes it; nothing is changed unless somebody asks for it."""
    path = written(tmp_path / "source.mkv", sound)
    job, _ = video_of(own_services, settings, path, None)
    expected, told = meter(path), job.measured[-1].loudness
    assert told.integrated == pytest.approx(expected.integrated, abs=NEAR)
    assert told.range == pytest.approx(expected.range, abs=NEAR)
    assert told.true_peak == pytest.approx(expected.peak, abs=PEAK_NEAR)
    assert {one.gain for one in job.measured} == {0.0}


@pytest.mark.parametrize("target", [-23, -16, -14])
def test_sound_is_brought_to_a_loudness(
    target: int, own_services: Services, settings: Settings, tmp_path: Path
) -> None:
    """Each track by itself, and no peak higher than what is coded with loss may have."""
    path = written(tmp_path / "source.mkv", SPEECH, MUSIC, SIX)
    job, video = video_of(own_services, settings, path, target)
    limited = {str(known.values["label"]) for known in job.warnings if known.code == "loudness_limited"}
    for number, one in enumerate(job.measured):
        result = meter(video, track=number)
        lacking = target - result.integrated
        assert lacking == pytest.approx(0, abs=REACHED) or (limited and lacking > 0), one
        assert result.peak <= HIGHEST_PEAK + CODED


def test_peaks_limit_how_loud_sound_is_made(own_services: Services, settings: Settings, tmp_path: Path) -> None:
    """The job says by how much it is too quiet."""
    path = written(tmp_path / "source.mkv", CLAPS)
    job, video = video_of(own_services, settings, path, -14)
    (limited,) = (known for known in job.warnings if known.code == "loudness_limited")
    by = float(limited.values["by"])
    assert by > 3
    assert meter(video).integrated == pytest.approx(-14 - by, abs=REACHED)
    assert meter(video).peak <= HIGHEST_PEAK + CODED


def test_silence_stays_silent(own_services: Services, settings: Settings, tmp_path: Path) -> None:
    """It has no loudness, and no warning is given of it."""
    job, video = video_of(own_services, settings, written(tmp_path / "source.mkv", SILENCE), -23)
    (one,) = job.measured
    assert (one.loudness.integrated, one.loudness.true_peak, one.gain) == (None, None, 0.0)
    assert job.warnings == ()
    assert meter(video).peak == float("-inf")
