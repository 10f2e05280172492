"""Captions in the pictures of real files: what comes out says the same, at the same time, as their own bytes."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import pytest

from storage.captions.a53 import has_captions
from storage.captions.cues import Cue
from storage.captions.reading import Format, cues_of
from storage.model.job import Job, JobState
from storage.model.job_warnings import warning
from storage.public.job_json import job_json
from storage.services import Services
from storage.settings import Settings
from tests.integration.workers.test_timed_text import assert_said, cues, ffmpeg, looked
from tests.support.driving import drive
from tests.support.hls_rules import broken_rules
from tests.support.line21 import ERASE, PAINT, RETURN, ROLL, command, page, row, sent, shown_at, with_captions
from tests.support.results import made, names, report
from tests.support.texts import in_mp4
from workers.planning import picture_captions

SECONDS = 4
NTSC, FILM = Fraction(30000, 1001), Fraction(24000, 1001)
Line = Sequence[bytes]


def pages(rate: Fraction, every: int = 1) -> tuple[Line, Line]:
    """Return both fields of a clip: two pages of CC1, and one of CC3."""
    count = round(SECONDS * rate)
    one, other = page(row(14, "Hello there,"), row(15, "World <3 &")), page(row(1, "Above"))
    loud = page(row(15, "Hola", 3), channel=3)
    first = [*shown_at(at(1.2, rate), one, every=every), (at(2.0, rate), command(ERASE))]
    first += shown_at(at(3.0, rate), other, every=every)
    second = [*shown_at(at(1.5, rate), loud, 3, every), (at(2.7, rate), command(ERASE, 3))]
    return sent(count, first, every), sent(count, second, every)


def at(seconds: float, rate: Fraction) -> int:
    """Return the number of the picture that shows then."""
    return round(seconds * rate)


def cue(begin: float, end: float, text: str, rate: Fraction, *, top: bool = False) -> Cue:
    """Return a cue from the picture that shows at one time to that of another."""
    begin_at, end_at = (round(1000 * at(time, rate) / rate) for time in (begin, end))
    return Cue(begin_at, end_at, text, top)


def wanted(rate: Fraction) -> tuple[tuple[Cue, ...], tuple[Cue, ...]]:
    """Return the cues of CC1 and CC3 that `pages` says."""
    one = cue(1.2, 2.0, "Hello there,\nWorld &lt;3 &amp;", rate)
    return (one, cue(3.0, SECONDS, "Above", rate, top=True)), (cue(1.5, 2.7, "Hola", rate),)


def captioned(folder: Path, codec: str, rate: Fraction, lines: tuple[Line, Line], *options: str) -> Path:
    """Return a raw stream of four seconds whose pictures say these lines, in the order in which they show."""
    coders = {"mpeg2video": "mpeg2video", "h264": "libx264", "hevc": "libx265"}
    plain, target = folder / f"plain.{codec}", folder / f"said.{codec}"
    source = ["-f", "lavfi", "-i", f"testsrc2=size=320x180:rate={rate}:duration={SECONDS}"]
    ffmpeg(*source, "-pix_fmt", "yuv420p", "-c:v", coders[codec], *options, "-f", codec, str(plain))
    target.write_bytes(with_captions(plain.read_bytes(), codec, *lines))
    return target


def broadcast(folder: Path, rate: Fraction, lines: tuple[Line, Line], *options: str, name: str = "said.ts") -> Path:
    """Return MPEG-2 with B-frames in a transport stream, whose pictures say these lines."""
    raw = captioned(folder, "mpeg2video", rate, lines, "-bf", "2", "-b:v", "2M", *options)
    ffmpeg("-fflags", "+genpts", "-f", "mpegvideo", "-i", str(raw), "-c", "copy", str(folder / name))
    return folder / name


def recoded(folder: Path, rate: Fraction, lines: tuple[Line, Line], name: str) -> Path:
    """Return H.264 with B-frames into which ffmpeg itself copied what the pictures of a broadcast say."""
    source = broadcast(folder, rate, lines)
    ffmpeg("-i", str(source), "-c:v", "libx264", "-preset", "ultrafast", "-bf", "3", str(folder / name))
    return folder / name


def by_bytes(folder: Path, codec: str, rate: Fraction, lines: tuple[Line, Line], name: str) -> Path:
    """Return a file whose pictures say these lines by bytes of ours, each picture behind the one that shows before."""
    quick = ["-preset", "ultrafast", "-bf", "0"] if codec == "h264" else ["-preset", "ultrafast"]
    told = [] if codec == "h264" else ["-x265-params", "bframes=0:log-level=error"]
    raw = captioned(folder, codec, rate, lines, *quick, *told)
    ffmpeg("-r", str(rate), "-f", codec, "-i", str(raw), "-c", "copy", str(folder / name))
    return folder / name


def told_by_ffmpeg(path: Path, field: str, folder: Path) -> tuple[Cue, ...]:
    """Return the captions of a field as ffmpeg's own decoders find them, pictures decoded, from the first one on."""
    target = folder / "oracle.ass"
    ffmpeg("-data_field", field, "-f", "lavfi", "-i", f"movie={path}[out+subcc]", "-map", "0:s", str(target))
    return tuple(Cue(one.start, one.end, one.text) for one in cues_of(target.read_text(), Format.DECODED))


def assert_tracks(services: Services, job: Job, said: Sequence[tuple[Cue, ...]]) -> None:
    """Fail unless the job has CC1 and CC3 with these cues in all that it makes, and in no picture."""
    assert (job.state, job.error, job.warnings) == (JobState.READY, None, ())
    told = [(one["id"], one["label"], one["language"], one["sdh"]) for one in job_json(job)["subtitles"]]
    assert told == [("cc1", "CC1 (SDH)", "", True), ("cc3", "CC3 (SDH)", "", True)]
    assert job.plan is not None
    film = made(services, job, f"{job.plan.rungs[0].name}.mp4")
    for number, (name, wanted_cues) in enumerate(zip(("cc1", "cc3"), said, strict=True)):
        assert_said(cues(made(services, job, f"subtitles/{name}.vtt")), wanted_cues)
        assert_said(cues(made(services, job, f"hls/subtitles-{name}/00000.vtt")), wanted_cues)
        below = tuple(Cue(one.start, one.end, one.text) for one in wanted_cues)
        assert_said(in_mp4(film, number), below)
    texts = [stream for stream in looked(film)["streams"] if stream["codec_name"] == "mov_text"]
    assert [stream["disposition"]["hearing_impaired"] for stream in texts] == [1, 1]
    assert not has_captions(film.read_bytes())
    master = made(services, job, "hls/master.m3u8")
    assert master.read_text().count("CLOSED-CAPTIONS=NONE") == len(job.plan.rungs)
    assert broken_rules(master) == []


@pytest.mark.parametrize("rate", [FILM, Fraction(25), NTSC, Fraction(50), Fraction(60000, 1001)], ids=str)
def test_captions_that_ffmpeg_copied(
    rate: Fraction, own_services: Services, settings: Settings, tmp_path: Path
) -> None:
    """Into H.264 with B-frames; it finds the same at the same times."""
    every = 2 if rate > NTSC else 1
    path = recoded(tmp_path, rate, pages(rate, every), "said.mp4")
    said = wanted(rate)
    for field, of_field in zip(("first", "second"), said, strict=True):
        assert_said(told_by_ffmpeg(path, field, tmp_path), tuple(Cue(one.start, one.end, one.text) for one in of_field))
    assert_tracks(own_services, drive(own_services, settings, path), said)


def test_captions_of_a_broadcast(own_services: Services, settings: Settings, tmp_path: Path) -> None:
    """MPEG-2 in fields, with B-frames, on a clock that does not begin at zero."""
    fields = ["-flags", "+ildct+ilme", "-top", "1"]
    job = drive(own_services, settings, broadcast(tmp_path, NTSC, pages(NTSC), *fields))
    assert job.plan is not None
    assert (job.plan.video.interlaced, job.plan.video.start_time > 1) == (True, True)
    assert_tracks(own_services, job, wanted(NTSC))


@pytest.mark.parametrize(("codec", "name"), [("h264", "said.ts"), ("h264", "said.mkv"), ("hevc", "said.mp4")])
def test_captions_by_bytes(codec: str, name: str, own_services: Services, settings: Settings, tmp_path: Path) -> None:
    """In messages of both codecs, whatever the container."""
    path = by_bytes(tmp_path, codec, NTSC, pages(NTSC), name)
    assert_tracks(own_services, drive(own_services, settings, path), wanted(NTSC))


def test_live_captions(own_services: Services, settings: Settings, tmp_path: Path) -> None:
    """Rows that roll up, and letters that are painted: each row from its first letter on, as long as ffmpeg says."""
    begun = command(ROLL) + command(RETURN)
    first = [
        (10, begun + row(15, "One")),
        (40, begun + row(15, "Two")),
        (70, command(ERASE) + command(PAINT) + row(15, "Three")),
        (100, command(ERASE)),
    ]
    path = broadcast(tmp_path, NTSC, (sent(120, first), [b"\0\0"] * 120))
    job = drive(own_services, settings, path)
    assert [one["id"] for one in job_json(job)["subtitles"]] == ["cc1"]
    times = [(16, 46), (46, 70), (76, 100)]
    texts = ["One", "One\nTwo", "Three"]
    said = [
        Cue(round(1000 * begin / NTSC), round(1000 * end / NTSC), text)
        for (begin, end), text in zip(times, texts, strict=True)
    ]
    assert_said(cues(made(own_services, job, "subtitles/cc1.vtt")), tuple(said))


def test_fillings_give_no_track(own_services: Services, settings: Settings, tmp_path: Path) -> None:
    """Nor a task, nor a warning, nor a word in the playlist."""
    nothing = [b"\0\0"] * round(SECONDS * NTSC)
    job = drive(own_services, settings, broadcast(tmp_path, NTSC, (nothing, nothing)))
    assert (job.state, job.warnings, job_json(job)["subtitles"]) == (JobState.READY, (), [])
    assert "subtitles:0" not in report(own_services, job)["tasks"]
    assert "C" not in made(own_services, job, "hls/master.m3u8").read_text().partition("CLOSED-")[2]


def test_room_for_captions_that_stays_empty(
    own_services: Services, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a file that is too large to be read whole: its one track is gone as soon as nothing was found in it."""
    monkeypatch.setattr(picture_captions, "PART_BYTES", 1000)
    nothing = [b"\0\0"] * round(SECONDS * NTSC)
    job = drive(own_services, settings, broadcast(tmp_path, NTSC, (nothing, nothing)))
    assert job.plan is not None
    assert [source.channel for source in job.plan.subtitles] == [1]
    assert (job.state, job.warnings, job_json(job)["subtitles"]) == (JobState.READY, (), [])
    assert "SUBTITLES" not in made(own_services, job, "hls/master.m3u8").read_text()
    assert not [name for name in names(own_services, job) if "cc1" in name]


def test_more_than_a_recording_has_costs_the_captions_alone(
    own_services: Services, settings: Settings, tmp_path: Path
) -> None:
    """Pictures that say thousands of pairs each; the video is there, and the warning names the track."""
    path = broadcast(tmp_path, NTSC, pages(NTSC))
    raw = tmp_path / "said.mpeg2video"
    data = raw.read_bytes()
    begin = data.index(b"\0\0\1\xb2GA94")
    unit = data[begin : data.index(b"\0\0\1", begin + 4)]
    raw.write_bytes(data.replace(unit, unit * 4000))
    ffmpeg("-fflags", "+genpts", "-f", "mpegvideo", "-i", str(raw), "-c", "copy", str(path))
    job = drive(own_services, settings, path)
    assert (job.state, job_json(job)["subtitles"]) == (JobState.READY, [])
    assert warning("subtitle_unreadable", n=2, names="CC1 (SDH), CC3 (SDH)") in job.warnings
