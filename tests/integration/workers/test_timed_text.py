"""Subtitles and chapters of real files: what comes out says the same, at the same time, in every form."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from storage.captions.cues import Cue
from storage.captions.reading import Format, cues_of
from storage.model.job import Job, JobState
from storage.model.job_warnings import warning
from storage.model.timed_text import Chapter, SubtitleTrack
from storage.objects import keys
from storage.public.job_json import job_json
from storage.services import Services
from storage.services.subtitles import add_subtitles
from storage.settings import Settings
from tests.support.driving import drive, drive_on, submit
from tests.support.results import made, names, report
from tests.support.teletext import with_teletext
from tests.support.texts import in_mp4

CLOSE_MILLISECONDS = 40
SRT = """1
00:00:00,500 --> 00:00:01,250
Hello <i>there</i> & <3

2
00:00:02,000 --> 00:00:03,500
\ud55c\uad6d\uc5b4 {braces}
second line
"""
ASS = """[Script Info]
ScriptType: v4.00+
[V4+ Styles]
Format: Name, Fontname, Fontsize, Italic, Alignment
Style: Default,Arial,20,0,2
[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
Dialogue: 0,0:00:01.00,0:00:02.00,Default,,0,0,0,,{\\an8}At the top, {\\i1}slanted{\\i0}\\Nand below
"""
CHAPTERS = """;FFMETADATA1
[CHAPTER]
TIMEBASE=1/1000
START=0
END=1500
title=Opening
[CHAPTER]
TIMEBASE=1/1000
START=1500
END=4000
title=\ub05d \\= <b>
"""
SAID = (Cue(500, 1250, "Hello <i>there</i> &amp; &lt;3"), Cue(2000, 3500, "\ud55c\uad6d\uc5b4 {braces}\nsecond line"))
AT_TOP = (Cue(1000, 2000, "At the top, <i>slanted</i>\nand below", top=True),)


def ffmpeg(*arguments: str) -> None:
    """Run ffmpeg."""
    subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-y", *arguments], check=True, timeout=120)


def film(folder: Path, name: str, *options: str, texts: tuple[str, ...] = (SRT,)) -> Path:
    """Return a clip of four seconds with these tracks of text and two chapters."""
    inputs: list[str] = []
    maps = ["-map", "0:v"]
    for number, text in enumerate(texts):
        path = folder / f"{number}.{'ass' if 'Script Info' in text else 'srt'}"
        path.write_text(text)
        inputs += ["-i", str(path)]
        maps += ["-map", f"{number + 1}:s"]
    chapters = folder / "chapters.txt"
    chapters.write_text(CHAPTERS)
    told = ["-f", "ffmetadata", "-i", str(chapters), "-map_chapters", str(len(texts) + 1)]
    picture = ["-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25:duration=4"]
    coded = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"]
    target = folder / name
    ffmpeg(*picture, *inputs, *told, *maps, *coded, *options, str(target))
    return target


def looked(path: Path) -> dict[str, Any]:
    """Return what ffprobe says of a file's streams and chapters."""
    command = ["ffprobe", "-v", "error", "-of", "json", "-show_streams", "-show_chapters", str(path)]
    answer: dict[str, Any] = json.loads(subprocess.run(command, check=True, capture_output=True, timeout=60).stdout)
    return answer


def cues(path: Path) -> tuple[Cue, ...]:
    """Return the cues of WebVTT that was made."""
    return tuple(cues_of(path.read_text(), Format.WEBVTT))


def assert_said(found: tuple[Cue, ...], wanted: tuple[Cue, ...]) -> None:
    """Fail unless the texts are equal, and each stands and goes within 40 ms of when it should."""
    assert [(cue.text, cue.top) for cue in found] == [(cue.text, cue.top) for cue in wanted]
    for one, other in zip(found, wanted, strict=True):
        assert one.start == pytest.approx(other.start, abs=CLOSE_MILLISECONDS)
        assert one.end == pytest.approx(other.end, abs=CLOSE_MILLISECONDS)


def without_places(said: tuple[Cue, ...]) -> tuple[Cue, ...]:
    """Return the cues as MP4 has them."""
    return tuple(Cue(cue.start, cue.end, cue.text) for cue in said)


def test_a_film_with_two_tracks_and_chapters(own_services: Services, settings: Settings, tmp_path: Path) -> None:
    """Text equal and times within 40 ms in WebVTT, in HLS and in the MP4; languages, marks, chapters everywhere."""
    marks = ["-c:s", "copy", "-metadata:s:s:0", "language=kor", "-metadata:s:s:1", "language=eng"]
    marks += ["-metadata:s:s:1", "title=Full", "-disposition:s:1", "default+hearing_impaired"]
    job = drive(own_services, settings, film(tmp_path, "film.mkv", *marks, texts=(SRT, ASS)))
    assert (job.state, job.error, job.warnings) == (JobState.READY, None, ())
    assert job.plan is not None
    assert job.plan.chapters == (Chapter(0.0, 1.5, "Opening"), Chapter(1.5, 4.0, "\ub05d = <b>"))
    shown = job_json(job)
    assert [(one["id"], one["label"], one["language"], one["default"], one["sdh"]) for one in shown["subtitles"]] == [
        ("0", "Korean", "ko", False, False),
        ("1", "English, Full (SDH)", "en", True, True),
    ]
    assert [one["url"] for one in shown["subtitles"]] == [f"/media/{job.id}/subtitles/{n}.vtt" for n in (0, 1)]
    for number, said in enumerate((SAID, AT_TOP)):
        assert_said(cues(made(own_services, job, f"subtitles/{number}.vtt")), said)
        assert_said(cues(made(own_services, job, f"hls/subtitles-{number}/00000.vtt")), said)
        assert_said(in_mp4(made(own_services, job, "180p.mp4"), number), without_places(said))
    assert {f"hls/subtitles-{number}/index.m3u8" for number in (0, 1)} <= names(own_services, job)
    assert made(own_services, job, "hls/master.m3u8").read_text().count("TYPE=SUBTITLES") == 2
    result = report(own_services, job)["tasks"]["subtitles:0"]
    assert [(track["id"], track["cues"]) for track in result["tracks"]] == [("0", 2), ("1", 1)]
    told = looked(made(own_services, job, "180p.mp4"))
    texts = [stream for stream in told["streams"] if stream["codec_name"] == "mov_text"]
    assert [stream["tags"]["language"] for stream in texts] == ["kor", "eng"]
    assert [stream["tags"]["handler_name"] for stream in texts] == ["Korean", "English, Full (SDH)"]
    assert [stream["disposition"]["default"] for stream in texts] == [0, 0]
    assert [one["tags"]["title"] for one in told["chapters"]] == ["Opening", "\ub05d = <b>"]
    assert made(own_services, job, "chapters.vtt").read_text().endswith("00:00:04.000\n\ub05d = &lt;b&gt;\n")


@pytest.mark.parametrize(("name", "codec"), [("film.mp4", "mov_text"), ("film.webm", "webvtt"), ("film.mkv", "ass")])
def test_each_kind_of_text_is_read(
    name: str, codec: str, own_services: Services, settings: Settings, tmp_path: Path
) -> None:
    """Whatever a container calls it."""
    coded = ["-c:v", "libvpx", "-deadline", "realtime"] if name.endswith("webm") else []
    job = drive(own_services, settings, film(tmp_path, name, *coded, "-c:s", codec))
    assert (job.state, job.warnings) == (JobState.READY, ())
    # In ASS, what stands in braces is a comment.
    said = SAID if codec != "ass" else (SAID[0], replace(SAID[1], text=SAID[1].text.replace(" {braces}", "")))
    assert_said(cues(made(own_services, job, "subtitles/0.vtt")), said)


def test_teletext_of_a_broadcast(own_services: Services, settings: Settings, tmp_path: Path) -> None:
    """Its pages of subtitles, each until the next one comes, or an empty one."""
    plain = film(tmp_path, "plain.ts", texts=())
    said = [(0.5, "Hello there"), (1.5, ""), (2.0, "Second line"), (3.0, "")]
    job = drive(own_services, settings, with_teletext(plain, tmp_path / "teletext.ts", said, "swe"))
    assert (job.state, job.warnings) == (JobState.READY, ())
    assert [track["language"] for track in job_json(job)["subtitles"]] == ["sv"]
    wanted = (Cue(500, 1500, "Hello there"), Cue(2000, 3000, "Second line"))
    assert_said(cues(made(own_services, job, "subtitles/0.vtt")), wanted)


def test_ttml_in_an_mp4_is_read(own_services: Services, settings: Settings, tmp_path: Path) -> None:
    """Which ffmpeg takes for data that it does not know."""
    job = drive(own_services, settings, film(tmp_path, "film.mp4", "-c:s", "ttml", "-metadata:s:s:0", "language=kor"))
    assert (job.state, job.warnings) == (JobState.READY, ())
    assert [track["language"] for track in job_json(job)["subtitles"]] == ["ko"]
    plain = (replace(SAID[0], text="Hello there &amp; &lt;3"), SAID[1])  # ffmpeg's writer gives up italics
    assert_said(cues(made(own_services, job, "subtitles/0.vtt")), plain)


def twice(said: tuple[Cue, ...]) -> tuple[Cue, ...]:
    """Return what a recording of four seconds says, and says again where it is appended to itself."""
    return (*said, *(replace(cue, start=cue.start + 4000, end=cue.end + 4000) for cue in said))


def appended(path: Path) -> Path:
    """Return the recording appended to itself."""
    target = path.with_stem("twice")
    target.write_bytes(path.read_bytes() * 2)
    return target


def test_texts_of_joined_recordings_stand_in_their_part(
    own_services: Services, settings: Settings, tmp_path: Path
) -> None:
    """All clocks begin at the same time: the place of a text in the file tells. Chapters are those of the first."""
    job = drive(own_services, settings, appended(film(tmp_path, "film.mkv", "-c:s", "copy", texts=(SRT, ASS))))
    assert job.plan is not None
    assert (job.state, [known["code"] for known in job_json(job)["warnings"]]) == (JobState.READY, ["parts_joined"])
    for number, said in enumerate((SAID, AT_TOP)):
        assert_said(cues(made(own_services, job, f"subtitles/{number}.vtt")), twice(said))
        assert_said(in_mp4(made(own_services, job, "180p.mp4"), number), without_places(twice(said)))
    assert [(one.title, one.start) for one in job.plan.chapters] == [("Opening", 0.0), ("\ub05d = <b>", 1.5)]


def test_teletext_of_joined_broadcasts_stands_in_its_part(
    own_services: Services, settings: Settings, tmp_path: Path
) -> None:
    """It is moved before it is decoded."""
    said = [(0.5, "Hello there"), (1.5, ""), (2.0, "Second line"), (3.0, "")]
    part = with_teletext(film(tmp_path, "plain.ts", texts=()), tmp_path / "teletext.ts", said, "swe")
    job = drive(own_services, settings, appended(part))
    assert (job.state, [known["code"] for known in job_json(job)["warnings"]]) == (JobState.READY, ["parts_joined"])
    wanted = (Cue(500, 1500, "Hello there"), Cue(2000, 3000, "Second line"))
    assert_said(cues(made(own_services, job, "subtitles/0.vtt")), twice(wanted))


def test_forced_text_is_shown_unasked(own_services: Services, settings: Settings, tmp_path: Path) -> None:
    """By whoever plays the MP4; the playlist says so too."""
    options = ["-c:s", "copy", "-disposition:s:0", "forced"]
    job = drive(own_services, settings, film(tmp_path, "forced.mkv", *options))
    streams = looked(made(own_services, job, "180p.mp4"))["streams"]
    assert [one["disposition"]["default"] for one in streams if one["codec_name"] == "mov_text"] == [1]
    assert "FORCED=YES" in made(own_services, job, "hls/master.m3u8").read_text()


def test_a_clock_that_begins_late_is_not_the_texts(own_services: Services, settings: Settings, tmp_path: Path) -> None:
    """Their times are those of the pictures beside them."""
    plain = film(tmp_path, "plain.mkv", "-c:s", "copy")
    late = tmp_path / "late.mkv"
    ffmpeg("-i", str(plain), "-map", "0", "-c", "copy", "-output_ts_offset", "7.3", str(late))
    job = drive(own_services, settings, late)
    assert job.plan is not None
    assert job.plan.video.start_time == pytest.approx(7.3, abs=0.05)
    assert_said(cues(made(own_services, job, "subtitles/0.vtt")), SAID)


def test_hostile_text_costs_its_track_alone(own_services: Services, settings: Settings, tmp_path: Path) -> None:
    """A million cues are left out by name; script, bidi and NUL of the other track do not reach a player."""
    million = "".join(f"{n}\n00:00:00,{n % 900:03d} --> 00:00:03,000\n{n}\n\n" for n in range(120_000))
    nasty = "1\n00:00:01,000 --> 00:00:02,000\n<script>alert(1)</script>\u202e\x01 --> <b onclick=x>bold\n"
    options = ["-c:s", "copy", "-metadata:s:s:0", "language=fra"]
    job = drive(own_services, settings, film(tmp_path, "nasty.mkv", *options, texts=(million, nasty)))
    assert (job.state, job.warnings) == (JobState.READY, (warning("subtitle_unreadable", n=1, names="French"),))
    assert [track["id"] for track in job_json(job)["subtitles"]] == ["1"]
    text = "&lt;script&gt;alert(1)&lt;/script&gt; --&gt; <b>bold</b>"
    assert_said(cues(made(own_services, job, "subtitles/1.vtt")), (Cue(1000, 2000, text),))


def test_added_text_is_in_the_mp4(own_services: Services, settings: Settings, tmp_path: Path) -> None:
    """If it was there when that was made; it is beside the original, and another run keeps it."""
    job = submit(own_services, film(tmp_path, "plain.mkv", texts=()))
    track = add_subtitles(own_services, job, SubtitleTrack("", "ko", "Added"), SRT.encode("cp949"))
    job = drive_on(own_services, settings, job)
    assert (job.state, job.added) == (JobState.READY, (track,))
    assert_said(in_mp4(made(own_services, job, "180p.mp4"), 0), SAID)
    stored = own_services.objects.local_path(keys.added_subtitle(job.id, track.id))
    assert stored is not None
    assert_said(cues(stored), SAID)
    assert [(one["label"], one["origin"]) for one in job_json(job)["subtitles"]] == [("Korean, Added", "added")]


def test_a_file_without_text_has_no_task_for_it(own_services: Services, settings: Settings, tmp_path: Path) -> None:
    """Nor a group in its playlist."""
    job: Job = drive(own_services, settings, film(tmp_path, "plain.mkv", texts=()))
    assert "subtitles:0" not in report(own_services, job)["tasks"]
    assert "SUBTITLES" not in made(own_services, job, "hls/master.m3u8").read_text()
