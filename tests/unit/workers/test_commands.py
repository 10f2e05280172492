"""Every ffmpeg command compared whole with the one that was reviewed: files in `commands/`, an argument a line."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.plan import AudioSource, Plan, Rung, Segment, VideoSource
from workers.commands import (
    MIN_TIMESCALE,
    audio_command,
    frame_ticks,
    package_command,
    poster_command,
    segment_command,
    timescale,
)
from workers.demuxers import FORMAT_WHITELIST, protocol_whitelist

REVIEWED = Path(__file__).parent / "commands"
PATH = "/store/originals/0f/original"
URL = "http://127.0.0.1:9000/rungs/originals/0f/original?X-Amz-Expires=86400&X-Amz-Signature=00ff"
SCRATCH = Path("/scratch")
RUNGS = (
    Rung("1080p", 1920, 1080, 22, 6_000_000, 12_000_000),
    Rung("720p", 1280, 720, 22, 3_500_000, 7_000_000),
    Rung("480p", 854, 480, 22, 1_800_000, 3_600_000),
)
SOUND = AudioSource(stream=1, codec="aac", channels=2, sample_rate=44_100, bitrate=128_000)
PLAN = Plan(
    video=VideoSource(
        stream=0,
        codec="h264",
        width=1920,
        height=1080,
        display_width=1920,
        display_height=1080,
        rotation=0,
        interlaced=False,
        transfer="bt709",
        start_time=1.4,
        container_start=1.333,
    ),
    audio=SOUND,
    rungs=RUNGS,
    rate_num=30_000,
    rate_den=1001,
    frames=300,
    tail_frames=0,
    segments=(Segment(0, 0, 300, fragment_frames=120, threads=2),),
    preset="veryfast",
    warnings=(),
)
INTERLACED = replace(PLAN, video=replace(PLAN.video, interlaced=True))
PQ = replace(PLAN, video=replace(PLAN.video, transfer="smpte2084"), rungs=RUNGS[1:])
HLG = replace(PLAN, video=replace(PLAN.video, transfer="arib-std-b67"), rungs=RUNGS[2:])
TAIL = replace(PLAN, tail_frames=90, rungs=RUNGS[2:])
CUT = (
    Segment(0, 0, 60, fragment_frames=60, threads=2),
    Segment(1, 60, 240, fragment_frames=120, threads=1, seek=2.402),
)
HALVES = replace(PLAN, segments=CUT, rungs=RUNGS[2:], tail_frames=90)


def segment(plan: Plan, index: int = 0, url: str = PATH) -> list[str]:
    """Return the command of one segment of the plan."""
    return segment_command(plan, plan.segments[index], url, SCRATCH)


COMMANDS = {
    "segment": segment(PLAN),
    "segment_signed_url": segment(PLAN, url=URL),
    "segment_interlaced": segment(INTERLACED),
    "segment_pq": segment(PQ),
    "segment_hlg": segment(HLG),
    "segment_tail": segment(TAIL),
    "segment_first_half": segment(HALVES, 0),
    "segment_second_half": segment(HALVES, 1),
    "audio": audio_command(PLAN, SOUND, PATH, SCRATCH / "audio.m4a", SCRATCH / "heard.pcm"),
    "audio_signed_url": audio_command(PLAN, SOUND, URL, SCRATCH / "audio.m4a", SCRATCH / "heard.pcm"),
    "poster": poster_command(PLAN, PATH, SCRATCH / "poster.jpg", seek=True),
    "poster_signed_url": poster_command(PLAN, URL, SCRATCH / "poster.jpg", seek=True),
    "poster_without_seeking": poster_command(PLAN, PATH, SCRATCH / "poster.jpg", seek=False),
    "package": package_command(
        SCRATCH / "720p.fragments.mp4", SCRATCH / "audio.m4a", SCRATCH / "720p.mp4", seconds=10.01
    ),
    "package_silent": package_command(SCRATCH / "720p.fragments.mp4", None, SCRATCH / "720p.mp4", seconds=10.01),
}


def readable(command: list[str]) -> str:
    """Return an argument a line, and a filter a line inside the graph."""
    lines: list[str] = []
    for option, argument in zip(["", *command], command, strict=False):
        lines.append(argument.replace(";", ";\n  ") if option == "-filter_complex" else argument)
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("name", COMMANDS)
def test_the_command_is_the_reviewed_one(name: str) -> None:
    """No argument comes, goes or changes unseen."""
    assert readable(COMMANDS[name]) == (REVIEWED / f"{name}.txt").read_text()


def test_every_reviewed_command_is_compared() -> None:
    """A file that nothing compares with any more is removed."""
    assert {path.stem for path in REVIEWED.iterdir()} == set(COMMANDS)


@pytest.mark.parametrize("name", [name for name in COMMANDS if not name.startswith("package")])
def test_an_upload_is_opened_with_both_whitelists(name: str) -> None:
    """No command opens an upload without saying which containers and protocols it may be."""
    command = COMMANDS[name]
    before_input = command[: command.index("-i")]
    url = command[command.index("-i") + 1].removeprefix("file:")
    assert before_input[before_input.index("-protocol_whitelist") + 1] == protocol_whitelist(url)
    assert before_input[before_input.index("-format_whitelist") + 1] == FORMAT_WHITELIST


@pytest.mark.parametrize("name", ["hls", "dash", "concat", "sdp", "image2", "webvtt", "tty", "lavfi", "data", "ass"])
def test_no_format_that_opens_others_is_allowed(name: str) -> None:
    """Playlists, image sequences and devices are not on the list."""
    assert name not in FORMAT_WHITELIST.split(",")


@pytest.mark.parametrize("name", ["-i.mp4", "concat:a|b", "http:", "a:b.mp4", "-y"])
def test_a_path_is_never_an_option_or_a_protocol(name: str) -> None:
    """A name with a dash or a colon in front is opened as the file it is."""
    command = segment(PLAN, url=f"/store/{name}")
    assert command[command.index("-i") + 1] == f"file:/store/{name}"


@given(st.integers(1, 100_000), st.integers(1, 1001))
def test_a_frame_is_a_whole_number_of_ticks(numerator: int, denominator: int) -> None:
    """At any rate the frame length in ticks is exact, and the clock fine enough for players."""
    rate = Fraction(numerator, denominator)
    plan = replace(PLAN, rate_num=rate.numerator, rate_den=rate.denominator)
    assert Fraction(frame_ticks(plan), timescale(plan)) == 1 / rate
    assert timescale(plan) >= MIN_TIMESCALE
