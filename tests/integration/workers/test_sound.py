"""Sound through the real stages: what each channel of a source is in the result, measured with a tone in it alone."""

from __future__ import annotations

import math
import subprocess
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from storage.model.job import JobState
from storage.model.job_warnings import JobWarning, warning
from storage.model.plan import SURROUND_CHANNELS
from storage.services import Services
from storage.settings import Settings
from tests.support.driving import drive
from tests.support.looking import look
from tests.support.results import made

RATE = 48_000
TONE = 440  # Hz; below the 120 Hz that AC-3 keeps of the low-frequency channel it would not be one in every channel
SECONDS = 1.5
TURN = 0.4  # seconds that each channel has a tone alone
PICTURE = "color=black:s=64x48:r=10:d=10"
LEVEL_DB = 0.15  # how exact levels are after lossy coding twice
SILENT_DB = -60.0
FULL, CENTRE, BACK = 0.0, -3.01, -6.02  # dB: ITU-R BS.775, and the middle surround shared by both sides
NONE = float("-inf")

Gains = tuple[float, float]
STEREO = [(FULL, NONE), (NONE, FULL)]
MIDDLE, LEFT, RIGHT = (CENTRE, CENTRE), (CENTRE, NONE), (NONE, CENTRE)
NOTHING = (NONE, NONE)
LOW_FREQUENCIES = 3  # the place of their channel in 5.1 and 7.1


@dataclass(frozen=True)
class Layout:
    """A layout by ffmpeg's name, what left and right get of each channel in dB, and how it is encoded."""

    name: str
    gains: Sequence[Gains]
    encoder: str
    suffix: str


LAYOUTS = {
    "stereo": Layout("stereo", STEREO, "aac -b:a 256k", "mp4"),
    "5.1 aac": Layout("5.1", [*STEREO, MIDDLE, NOTHING, LEFT, RIGHT], "aac -b:a 384k", "mp4"),
    "5.1 ac3": Layout("5.1(side)", [*STEREO, MIDDLE, NOTHING, LEFT, RIGHT], "ac3 -b:a 448k", "ts"),
    "5.1 pcm": Layout("5.1(side)", [*STEREO, MIDDLE, NOTHING, LEFT, RIGHT], "pcm_s16le", "mov"),
    "7.1": Layout("7.1", [*STEREO, MIDDLE, NOTHING, LEFT, RIGHT, LEFT, RIGHT], "flac", "mkv"),
    "7.1 in the order of quicktime": Layout(
        "7.1", [*STEREO, MIDDLE, NOTHING, LEFT, RIGHT, LEFT, RIGHT], "pcm_s16le", "mov"
    ),
    "6.1": Layout("6.1", [*STEREO, MIDDLE, NOTHING, (BACK, BACK), LEFT, RIGHT], "flac", "mkv"),
    "quad": Layout("quad", [*STEREO, LEFT, RIGHT], "flac", "mkv"),
    "sixteen": Layout("hexadecagonal", [*STEREO, *[NOTHING] * 14], "pcm_s16le", "mov"),
}


def written(path: Path, *sounds: str, encoder: str, options: Sequence[str] = (), seconds: float = SECONDS) -> Path:
    """Write a clip of so many seconds with these tracks of sound (lavfi graphs)."""
    inputs = [part for graph in (PICTURE, *sounds) for part in ("-f", "lavfi", "-i", graph)]
    maps = [part for number in range(len(sounds) + 1) for part in ("-map", str(number))]
    encoding = ["-c:v", "libx264", "-preset", "ultrafast", "-c:a", *encoder.split(), *options, "-t", str(seconds)]
    command = ["ffmpeg", "-nostdin", "-v", "error", *inputs, *maps, *encoding, str(path)]
    subprocess.run(command, check=True, timeout=60)
    return path


def tones(layout: str, amplitudes: Sequence[float | str]) -> str:
    """Return a source of a tone per channel; amplitudes may be formulas of the time `t`."""
    channels = "|".join(f"{amplitude}*sin(2*PI*{TONE}*t)" for amplitude in amplitudes)
    return f"aevalsrc='{channels}':channel_layout={layout}:sample_rate={RATE}:duration=10"


def levels(video: Path, track: int = 0) -> list[float]:
    """Return the loudness of each channel of a track away from the ends."""
    return [loudness(channel[RATE // 4 : -RATE // 4]) for channel in heard(video, track)]


def loudness(samples: array[float]) -> float:
    """Return the loudness in dB of a sine of full scale."""
    return _decibel(math.sqrt(2 * sum(sample * sample for sample in samples) / len(samples)))


def heard(video: Path, track: int = 0) -> list[array[float]]:
    """Return the samples of each channel of a track, -1..1."""
    command = ["ffmpeg", "-nostdin", "-v", "error", "-i", str(video), "-map", f"0:a:{track}", "-f", "f32le", "-"]
    samples = array("f")
    samples.frombytes(subprocess.run(command, check=True, timeout=60, capture_output=True).stdout)
    count = int(look(video).sounds[track]["channels"])
    return [samples[channel::count] for channel in range(count)]


def _decibel(amplitude: float) -> float:
    return 20 * math.log10(max(amplitude, 1e-9))


def target_of(source: Path, services: Services, settings: Settings, *warnings: JobWarning) -> Path:
    """Take the file through all stages; return the rung."""
    job = drive(services, settings, source)
    assert (job.state, job.error, job.warnings) == (JobState.READY, None, warnings)
    assert job.plan is not None
    return made(services, job, f"{job.plan.rungs[0].name}.mp4")


@pytest.mark.parametrize("name", LAYOUTS)
def test_each_channel_comes_as_loud_as_the_standard_says(
    name: str, own_services: Services, settings: Settings, tmp_path: Path
) -> None:
    """A tone in one channel after another is so loud left and right; low-frequency effects are left out."""
    layout = LAYOUTS[name]
    turns = [f"0.25*between(t,{TURN * number},{TURN * (number + 1)})" for number in range(len(layout.gains))]
    path, seconds = tmp_path / f"turns.{layout.suffix}", TURN * len(turns)
    source = written(path, tones(layout.name, turns), encoder=layout.encoder, seconds=seconds)
    sides = heard(target_of(source, own_services, settings))
    for number, gains in enumerate(layout.gains):
        middle = slice(round((number + 0.25) * TURN * RATE), round((number + 0.75) * TURN * RATE))
        for side, gain in zip(sides, gains, strict=True):
            level = loudness(side[middle])
            if gain == NONE:
                assert level < SILENT_DB
            else:
                assert level - _decibel(0.25) == pytest.approx(gain, abs=LEVEL_DB)


def test_what_is_too_loud_is_turned_down_not_cut_off(
    own_services: Services, settings: Settings, tmp_path: Path
) -> None:
    """Full scale in all channels stays below full scale, and still is a sine: what is cut off has overtones."""
    source = written(tmp_path / "loud.mkv", tones("5.1", [1.0] * 6), encoder="flac")
    for channel in heard(target_of(source, own_services, settings)):
        assert max(map(abs, channel)) < 0.95
        tone, third = (component(channel[RATE // 4 : -RATE // 4], TONE * times) for times in (1, 3))
        assert _decibel(third / tone) < -35  # 0.9 of a square wave, as cut off, has -12


def component(samples: array[float], frequency: float) -> float:
    """Return the amplitude of one frequency."""
    turn = 2 * math.pi * frequency / RATE
    real = sum(sample * math.cos(turn * number) for number, sample in enumerate(samples))
    other = sum(sample * math.sin(turn * number) for number, sample in enumerate(samples))
    return 2 * math.hypot(real, other) / len(samples)


@pytest.mark.parametrize("name", ["5.1 aac", "5.1 ac3", "5.1 pcm", "7.1"])
def test_surround_stays_surround_beside_the_mix(
    name: str, own_services: Services, settings: Settings, tmp_path: Path
) -> None:
    """A tone in one channel after another is in that channel alone, as loud as it was; of 7.1 sides and backs share."""
    layout = LAYOUTS[name]
    count = len(layout.gains)
    turns = [f"0.25*between(t,{TURN * number},{TURN * (number + 1)})" for number in range(count)]
    source = written(
        tmp_path / f"turns.{layout.suffix}",
        tones(layout.name, turns),
        encoder=layout.encoder,
        seconds=TURN * count,
    )
    channels = heard(target_of(source, own_services, settings), 1)
    assert len(channels) == SURROUND_CHANNELS
    for number in range(count):
        middle = slice(round((number + 0.25) * TURN * RATE), round((number + 0.75) * TURN * RATE))
        there = number if number < SURROUND_CHANNELS else number - 2
        for place, channel in enumerate(channels):
            found = loudness(channel[middle])
            if place != there:
                assert found < SILENT_DB + 20
            elif place != LOW_FREQUENCIES:  # encoders cut it at 120 Hz
                gain = CENTRE if number >= SURROUND_CHANNELS else FULL
                assert found == pytest.approx(_decibel(0.25) + gain, abs=0.5)


def mono(amplitude: float) -> str:
    """Return a source of one channel."""
    return tones("mono", [amplitude])


def test_mono_tracks_of_one_recording_are_left_and_right(
    own_services: Services, settings: Settings, tmp_path: Path
) -> None:
    """Of a broadcaster's eight tracks of one channel the first is heard on the left and the second on the right."""
    tracks = [mono(0.5), mono(0.125), *[mono(0.9)] * 6]
    source = written(tmp_path / "eight.mov", *tracks, encoder="pcm_s16le")
    found = levels(target_of(source, own_services, settings, warning("audio_left_out", n=6)))
    assert found == pytest.approx([_decibel(0.5), _decibel(0.125)], abs=LEVEL_DB)


def test_mono_tracks_of_two_languages_are_not_mixed(own_services: Services, settings: Settings, tmp_path: Path) -> None:
    """Each is a whole sound of its own."""
    languages = ["-metadata:s:a:0", "language=eng", "-metadata:s:a:1", "language=deu"]
    source = written(tmp_path / "two.mp4", mono(0.5), mono(0.125), encoder="aac", options=languages)
    target = target_of(source, own_services, settings)
    for number, amplitude in enumerate((0.5, 0.125)):
        assert levels(target, number) == pytest.approx([_decibel(amplitude)], abs=LEVEL_DB)


def test_a_track_without_a_decoder_is_passed_over(own_services: Services, settings: Settings, tmp_path: Path) -> None:
    """The default track is of a codec nobody decodes (AC-4, say): the next one is heard."""
    whole = written(tmp_path / "whole.mp4", tones("stereo", [0.9, 0.9]), tones("stereo", [0.5, 0.5]), encoder="ac3")
    data = whole.read_bytes()
    (tmp_path / "ac4.mp4").write_bytes(data.replace(b"ac-3", b"ac-4", 1).replace(b"dac3", b"free", 1))
    found = levels(target_of(tmp_path / "ac4.mp4", own_services, settings, warning("audio_left_out", n=1)))
    assert found == pytest.approx([_decibel(0.5)] * 2, abs=LEVEL_DB)


@pytest.mark.parametrize("order", [("5.1(side)", "stereo"), ("stereo", "5.1(side)")])
def test_a_broadcast_may_change_its_channels(
    order: tuple[str, str], own_services: Services, settings: Settings, tmp_path: Path
) -> None:
    """Where a film in 5.1 is followed by news in stereo, sound stays beside the picture, without a gap."""
    parts = []
    for number, layout in enumerate(order):
        amplitudes = [0.5, 0.5] if layout == "stereo" else [0.25, 0.25, 0, 0, 0, 0]
        moved = ["-output_ts_offset", str(number * SECONDS)]
        written_to = written(tmp_path / f"{number}.ts", tones(layout, amplitudes), encoder="ac3", options=moved)
        parts.append(written_to.read_bytes())
    (tmp_path / "broadcast.ts").write_bytes(b"".join(parts))
    channels, to_channels = (2 if layout == "stereo" else 6 for layout in order)
    rates = {"rate": RATE, "to_rate": RATE}
    changes = warning("sound_changes", at=SECONDS, channels=channels, to_channels=to_channels, **rates)
    target = target_of(tmp_path / "broadcast.ts", own_services, settings, changes)
    for whole in heard(target):
        assert len(whole) == pytest.approx(2 * SECONDS * RATE, abs=RATE / 20)
        channel = whole[RATE // 4 : -RATE // 4]
        middle = len(channel) // 2
        expected = [0.5 if layout == "stereo" else 0.25 for layout in order]
        for part, amplitude in zip((channel[: middle - 6000], channel[middle + 6000 :]), expected, strict=True):
            assert _decibel(max(map(abs, part))) == pytest.approx(_decibel(amplitude), abs=0.5)
        quiet = [max(map(abs, channel[start : start + 480])) < 0.1 for start in range(0, len(channel) - 480, 480)]
        assert sum(quiet) <= 5  # 50 ms: the join of the source has as much
