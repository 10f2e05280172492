"""Every ffmpeg command compared whole with the one that was reviewed: files in `commands/`, an argument a line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from storage.model.plan import BT709, AudioSource, ClockPiece, Colour, Crop, Plan, Rung, Segment, Shape
from storage.model.timed_text import SubtitleSource, SubtitleTrack
from storage.settings import Settings
from tests.support.jobs import SOUND, make_plan
from workers.ffmpeg.audio_commands import SoundFiles, audio_command, silence_command
from workers.ffmpeg.commands import (
    MIN_TIMESCALE,
    PackedSound,
    frame_ticks,
    package_command,
    segment_command,
    timescale,
)
from workers.ffmpeg.mp4_chapters import with_chapters
from workers.ffmpeg.mp4_subtitles import PackedSubtitles, with_subtitles
from workers.ffmpeg.stills import early_poster_command, keyframes_command, moment_command, sheet_command
from workers.ffmpeg.storyboard_layout import sheet_of
from workers.ffmpeg.subtitle_commands import moved_command, subtitles_command
from workers.planning.subtitles import caption_sources
from workers.sandbox.allowed_codecs import CODEC_WHITELIST
from workers.sandbox.allowed_inputs import FORMAT_WHITELIST, MAX_PIXELS, protocol_whitelist

REVIEWED = Path(__file__).parent / "commands"
PATH = "/store/originals/0f/original"
URL = "http://127.0.0.1:40000/00ff"
SCRATCH = Path("/scratch")
RUNGS = (
    Rung("1080p", 1920, 1080, 22, 6_000_000, 12_000_000),
    Rung("720p", 1280, 720, 22, 3_500_000, 7_000_000),
    Rung("480p", 854, 480, 22, 1_800_000, 3_600_000),
)
_BASE = make_plan(segments=1, frames=300)
PLAN = replace(
    _BASE, video=replace(_BASE.video, start_time=1.4, container_start=1.333), rungs=RUNGS, fragment_frames=120
)
WHOLE = Segment(0, 0, 300, threads=2)
INTERLACED = replace(PLAN, video=replace(PLAN.video, interlaced=True))


def of_colour(matrix: str, primaries: str, transfer: str = "bt709", *, full: bool = False, alpha: bool = False) -> Plan:
    """Return the plan of a source of these colours, the smallest rung only."""
    source = replace(PLAN.video, colour=Colour(matrix, primaries, transfer, full=full), alpha=alpha)
    return replace(PLAN, video=source, rungs=RUNGS[2:])


def turned(plan: Plan, rotation: int, *, mirrored: bool | None = False) -> Plan:
    """Return the plan of a source that is turned so, with a rung of its shape."""
    upright = rotation in {90, 270}
    (width, height), size = ((1080, 1920), (480, 854)) if upright else ((1920, 1080), (854, 480))
    source = replace(plan.video, rotation=rotation, mirrored=mirrored, display_width=width, display_height=height)
    return replace(plan, video=source, rungs=(Rung("480p", *size, 22, 1_800_000, 3_600_000),))


PQ = replace(of_colour("bt2020nc", "bt2020", "smpte2084"), rungs=RUNGS[1:])
INTERLACED_PQ = replace(PQ, video=replace(PQ.video, interlaced=True), rungs=RUNGS)
ALPHA = of_colour("bt709", "bt709", alpha=True)
TURNED = turned(PLAN, 90)
_CROP = Crop(left=10, right=6, top=20, bottom=12)
CROPPED = replace(TURNED, video=replace(TURNED.video, crop=_CROP, display_width=1048, display_height=1904))
VP9_ALPHA = replace(ALPHA, video=replace(ALPHA.video, codec="vp9"))
BT601 = Colour("smpte170m", "bt709", "bt709", full=False)
WIDTHS = (Shape(1.4, 720, 576, 16, 15, BT601), Shape(4.4, 544, 576, 24, 17, BT601))
NARROWER = replace(
    PLAN,
    video=replace(
        PLAN.video,
        codec="mpeg2video",
        width=720,
        height=576,
        display_width=768,
        display_height=576,
        interlaced=True,
        colour=BT601,
        shapes=WIDTHS,
        in_order=True,
    ),
    rungs=RUNGS[2:],
)
ANAMORPHIC = replace(
    NARROWER,
    video=replace(
        NARROWER.video,
        display_width=1024,
        interlaced=False,
        in_order=False,
        shapes=(WIDTHS[0], Shape(4.4, 720, 576, 64, 45, BT709), Shape(8.4, 720, 576, 64, 45, PQ.video.colour)),
    ),
)
TAIL = replace(PLAN, tail_frames=90, rungs=RUNGS[2:])
HALVES = replace(PLAN, segment_count=2, rungs=RUNGS[2:], tail_frames=90)
JOINED = tuple(ClockPiece(0.0, 4.0, -4.0 * part, position=9000 * part) for part in range(3))
FIRST, SECOND = Segment(0, 0, 60, threads=2), Segment(1, 60, 240, threads=1, seek=2.402)


def segment(plan: Plan, part: Segment = WHOLE, url: str = PATH) -> list[str]:
    """Return the command of one segment of the plan."""
    return segment_command(plan, part, url, SCRATCH)


def audio(*sources: AudioSource, url: str = PATH) -> list[str]:
    """Return the command of these tracks of sound."""
    return audio_command(PLAN, files_of(sources), url)


def files_of(sources: Sequence[AudioSource]) -> list[SoundFiles]:
    """Return what is written of these tracks."""
    names = [f"-{number}" if number else "" for number in range(len(sources))]
    return [
        SoundFiles(
            source,
            SCRATCH / f"audio{name}.m4a",
            SCRATCH / f"heard{name}.pcm",
            SCRATCH / f"audio{name}-surround.m4a" if source.surround_bitrate else None,
        )
        for source, name in zip(sources, names, strict=True)
    ]


COMMANDS = {
    "segment": segment(PLAN),
    "segment_relayed": segment(PLAN, url=URL),
    "segment_interlaced": segment(INTERLACED),
    "segment_pq": segment(PQ),
    "segment_hlg": segment(of_colour("bt2020nc", "bt2020", "arib-std-b67")),
    "segment_bt601_full": segment(of_colour("bt470bg", "bt470bg", full=True)),
    "segment_rgb_alpha": segment(of_colour("gbr", "bt709", full=True, alpha=True)),
    "segment_vp9_alpha": segment(VP9_ALPHA),
    "segment_turned": segment(TURNED),
    "segment_mirrored": segment(turned(TURNED, 180, mirrored=True)),
    "segment_aslant": segment(turned(TURNED, 315)),
    "segment_cropped": segment(CROPPED),
    "segment_cropped_by_ffmpeg": segment_command(CROPPED, WHOLE, PATH, SCRATCH, crops=True),
    "poster_keyframes_cropped_by_ffmpeg": keyframes_command(CROPPED, PATH, SCRATCH, crops=True),
    "poster_moment_cropped_by_ffmpeg": moment_command(CROPPED, PATH, SCRATCH, None, crops=True),
    "segment_turned_by_ffmpeg": segment(turned(TURNED, 90, mirrored=None)),
    "segment_tail": segment(TAIL),
    "segment_narrower_fields": segment(NARROWER),
    "segment_anamorphic_then_hdr": segment(ANAMORPHIC),
    "segment_first_half": segment(HALVES, FIRST),
    "segment_second_half": segment(HALVES, SECOND),
    "audio": audio(SOUND),
    "audio_relayed": audio(SOUND, url=URL),
    "audio_51": audio(replace(SOUND, source_channels=6, layout="5.1")),
    "audio_other_order": audio(replace(SOUND, source_channels=6, layout="6 channels (FC+FL+FR+BL+BR+LFE)")),
    "audio_many_channels": audio(replace(SOUND, source_channels=16, layout="hexadecagonal")),
    "audio_partly_mono": audio(replace(SOUND, partly_mono=True)),
    "audio_two_tracks": audio(replace(SOUND, source_channels=1, layout="mono", right=2)),
    "audio_surround": audio(replace(SOUND, source_channels=6, layout="5.1(side)", surround_bitrate=384_000), SOUND),
    "audio_surround_of_71": audio(replace(SOUND, source_channels=8, layout="7.1", surround_bitrate=384_000)),
    "audio_three_languages": audio(SOUND, *(replace(SOUND, stream=number, source_channels=6) for number in (2, 3))),
    "silence": silence_command(
        files_of([replace(SOUND, surround_bitrate=384_000), replace(SOUND, channels=1), SOUND]), [60, 9, 30]
    ),
    "poster_keyframes": keyframes_command(PLAN, PATH, SCRATCH),
    "poster_keyframes_relayed": keyframes_command(PLAN, URL, SCRATCH),
    "poster_keyframes_vp9_alpha": keyframes_command(VP9_ALPHA, PATH, SCRATCH),
    "poster_moment_anamorphic_then_hdr": moment_command(ANAMORPHIC, PATH, SCRATCH, 0.5),
    "poster_moment": moment_command(PLAN, PATH, SCRATCH, 0.5),
    "poster_moment_interlaced_pq": moment_command(INTERLACED_PQ, PATH, SCRATCH, 0.5),
    "poster_moment_interlaced_turned": moment_command(turned(INTERLACED, 270, mirrored=True), PATH, SCRATCH, 0.5),
    "poster_moment_without_seeking": moment_command(PLAN, PATH, SCRATCH, None),
    "poster_early": early_poster_command(SCRATCH / "720p.mp4", SCRATCH / "early.jpg"),
    "storyboard": sheet_command(SCRATCH / "keyframes.mp4", sheet_of(RUNGS[2], 13), SCRATCH / "storyboard.jpg"),
    "package": package_command(
        SCRATCH / "720p.fragments.mp4", [PackedSound(SCRATCH / "audio.m4a")], SCRATCH / "720p.mp4", seconds=10.01
    ),
    "package_two_languages": package_command(
        SCRATCH / "720p.fragments.mp4",
        [
            PackedSound(SCRATCH / "audio.m4a", language="de"),
            PackedSound(SCRATCH / "audio-1.m4a", language="zh-Hant", title="Who: 'them'", role="comment"),
        ],
        SCRATCH / "720p.mp4",
        seconds=10.01,
    ),
    "package_text": with_chapters(
        with_subtitles(
            package_command(
                SCRATCH / "720p.fragments.mp4",
                [PackedSound(SCRATCH / "audio.m4a")],
                SCRATCH / "720p.mp4",
                seconds=10.01,
            ),
            [
                PackedSubtitles(SCRATCH / "subtitles-0.srt", "Korean", "ko"),
                PackedSubtitles(SCRATCH / "subtitles-1.srt", "-i 'x'", forced=True, sdh=True),
            ],
        ),
        str(SCRATCH / "chapters.txt"),
    ),
    "subtitles": subtitles_command(
        [
            SubtitleSource(SubtitleTrack(str(number)), 2 + number, codec)
            for number, codec in enumerate(("subrip", "ass", "webvtt", "mov_text", "dvb_teletext"))
        ],
        PATH,
        SCRATCH,
        0.0,
    ),
    "captions": subtitles_command(
        [SubtitleSource(SubtitleTrack("0"), 1, "subrip"), *caption_sources(0, "h264", [1, 3])],
        PATH,
        SCRATCH,
        0.0,
        captions_bytes=2_000_000,
    ),
    "captions_hevc": subtitles_command(caption_sources(0, "hevc", [1]), PATH, SCRATCH, 0.0, captions_bytes=2_000_000),
    "captions_mpeg2": subtitles_command(
        caption_sources(0, "mpeg2video", [1]), PATH, SCRATCH, 0.0, captions_bytes=2_000_000
    ),
    "segment_captions_taken": segment(replace(PLAN, subtitles=caption_sources(0, "h264", [1]), rungs=RUNGS[2:])),
    "subtitles_joined": subtitles_command(
        [SubtitleSource(SubtitleTrack("0"), 2, "subrip")], PATH, SCRATCH, 0.0, JOINED
    ),
    "subtitles_moved": moved_command(
        [SubtitleSource(SubtitleTrack(str(n)), n + 2, "dvb_teletext") for n in (0, 1)],
        PATH,
        SCRATCH / "moved",
        0.0,
        JOINED,
    ),
    "package_silent": package_command(SCRATCH / "720p.fragments.mp4", [], SCRATCH / "720p.mp4", seconds=10.01),
}


def readable(command: list[str]) -> str:
    """Return an argument a line, a filter a line inside the graph, and the long list of decoders by its name."""
    lines: list[str] = []
    for option, argument in zip(["", *command], command, strict=False):
        lines.append(argument.replace(";", ";\n  ") if option == "-filter_complex" else argument)
        if option == "-codec_whitelist" and argument == CODEC_WHITELIST:
            lines[-1] = "(CODEC_WHITELIST)"
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("name", COMMANDS)
def test_the_command_is_the_reviewed_one(name: str) -> None:
    """No argument comes, goes or changes unseen."""
    assert readable(COMMANDS[name]) == (REVIEWED / f"{name}.txt").read_text()


@pytest.mark.parametrize("preset", ["superfast", "fast", "medium", "slow"])
def test_an_opening_is_not_hurried_where_its_headers_would_differ(preset: str) -> None:
    """Every segment has to fit one init section; who chose a slower preset waits for it."""
    plain = segment(replace(PLAN, preset=preset), FIRST)
    assert segment(replace(HALVES, preset=preset, rungs=RUNGS, tail_frames=0), FIRST) == plain


def test_every_reviewed_command_is_compared() -> None:
    """A file that nothing compares with any more is removed."""
    assert {path.stem for path in REVIEWED.iterdir()} == set(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_no_input_is_opened_without_its_whitelists(name: str) -> None:
    """Each says which containers, protocols and decoders it may reach, and how large a picture: ours as well.

    What was made of an upload was made by a tool that read it.
    """
    begin = 0
    while "-i" in (rest := COMMANDS[name][begin:]):
        before_input, url = rest[: rest.index("-i")], rest[rest.index("-i") + 1].removeprefix("file:")
        assert before_input[before_input.index("-protocol_whitelist") + 1] == protocol_whitelist(url)
        told = [*before_input, "-f", FORMAT_WHITELIST]  # a text of ours is opened as what it is
        assert before_input[before_input.index("-format_whitelist") + 1] == told[told.index("-f") + 1]
        assert before_input[before_input.index("-codec_whitelist") + 1] == CODEC_WHITELIST
        assert before_input[before_input.index("-max_pixels") + 1] == str(MAX_PIXELS)
        begin += rest.index("-i") + 1
    assert begin


@pytest.mark.parametrize("name", ["hls", "dash", "concat", "sdp", "image2", "webvtt", "tty", "lavfi", "data", "ass"])
def test_no_format_that_opens_others_is_allowed(name: str) -> None:
    """Playlists, image sequences and devices are not on the list."""
    assert name not in FORMAT_WHITELIST.split(",")


@pytest.mark.parametrize("name", ["asv1", "exr", "snow", "zmbv", "ansi", "bintext", "wrapped_avframe", "librsvg"])
def test_no_odd_decoder_is_allowed(name: str) -> None:
    """What nobody records videos with has no business with an upload."""
    assert name not in CODEC_WHITELIST.split(",")


def test_no_setting_allows_a_picture_that_no_tool_decodes() -> None:
    """The largest picture that may be set is the largest that tools decode."""
    Settings(max_source_pixels=MAX_PIXELS)
    with pytest.raises(ValidationError):
        Settings(max_source_pixels=MAX_PIXELS + 1)


@pytest.mark.parametrize("name", ["-i.mp4", "concat:a|b", "http:", "a:b.mp4", "-y"])
def test_a_path_is_never_an_option_or_a_protocol(name: str) -> None:
    """A name with a dash or a colon in front is opened as the file it is."""
    command = segment(PLAN, url=f"/store/{name}")
    assert command[command.index("-i") + 1] == f"file:/store/{name}"


def test_a_decoder_whose_threads_race_has_one() -> None:
    """Theora is decoded by one thread, while the encoders keep the plan's."""
    command = segment(replace(PLAN, video=replace(PLAN.video, codec="theora")))
    source = command.index("-i")
    assert command[command.index("-threads") + 1] == "1"
    assert command[command.index("-threads", source) + 1] == str(WHOLE.threads)


@given(st.integers(1, 100_000), st.integers(1, 1001))
def test_a_frame_is_a_whole_number_of_ticks(numerator: int, denominator: int) -> None:
    """At any rate the frame length in ticks is exact, and the clock fine enough for players."""
    rate = Fraction(numerator, denominator)
    plan = replace(PLAN, rate_num=rate.numerator, rate_den=rate.denominator)
    assert Fraction(frame_ticks(plan), timescale(plan)) == 1 / rate
    assert timescale(plan) >= MIN_TIMESCALE
