"""Poster and storyboard with the real ffmpeg: what the pictures show, and at which times."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest

from storage.model.job import Job, JobState
from storage.services import Services
from storage.settings import Settings
from tests.support.boxes_of_mp4 import turned
from tests.support.clips import make_clip, overwritten
from tests.support.driving import drive, step, submit
from tests.support.looking import brightness, look
from tests.support.results import ALWAYS, made, names, report
from tests.support.storyboards import Preview, read_storyboard
from workers.stages import storyboard

Clip = Callable[..., Path]
DARK, BRIGHT, LEVELS = 20, 220, 200  # of a picture that brightens frame by frame
RATE = 25
NEAR = 4.0  # what two encodings may do to a brightness, in levels
ONE_KEYFRAME = "-g 9999 -sc_threshold 0"


def shot(path: Path, picture: str, *options: str) -> Path:
    """Write a clip of a lavfi source."""
    codec = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", *options]
    command = ["ffmpeg", "-nostdin", "-v", "error", "-y", "-f", "lavfi", "-i", picture, *codec, str(path)]
    subprocess.run(command, check=True, timeout=60)
    return path


def brightening(path: Path, *, seconds: int = 8, size: str = "256x144") -> Path:
    """Write a clip whose frame n has the brightness DARK + n, so that a picture tells its time."""
    source = f"nullsrc=size={size}:rate={RATE}:duration={seconds},geq=lum='{DARK}+N':cb=128:cr=128"
    return shot(path, source, "-color_range", "tv", "-crf", "8")


def previews(services: Services, job: Job) -> tuple[Preview, ...]:
    """Return the previews of a ready job."""
    return read_storyboard(made(services, job, "storyboard.vtt").read_text())


def shown_at(services: Services, job: Job, preview: Preview) -> float:
    """Return the time of the frame that a preview of the brightening clip shows, in seconds."""
    crop = f"{preview.width}:{preview.height}:{preview.x}:{preview.y}"
    level = brightness(made(services, job, "storyboard.jpg"), crop=crop) * (235 - 16) / 255 + 16
    return (level - DARK) / RATE


def test_previews_show_what_is_there(own_services: Services, settings: Settings, tmp_path: Path) -> None:
    """Over the whole duration each preview shows the frame that its fragment begins with."""
    job = drive(own_services, settings, brightening(tmp_path / "brightening.mp4"))
    assert job.has_storyboard
    assert job.plan is not None
    found = previews(own_services, job)
    assert (found[0].start, found[-1].end) == (Fraction(0), Fraction(8))
    assert [one.end for one in found[:-1]] == [one.start for one in found[1:]]
    assert len(found) >= 4
    shown = [shown_at(own_services, job, one) for one in found]
    assert shown == sorted(shown)
    for one, at in zip(found, shown, strict=True):
        assert one.start - NEAR / RATE <= at <= one.end
    grid = [float(frame / job.plan.rate) for frame in (0, RATE, RATE + job.plan.fragment_frames)]
    assert shown[:3] == pytest.approx(grid, abs=NEAR / RATE)


def test_upright_previews_stay_upright(own_services: Services, settings: Settings, tmp_path: Path) -> None:
    """A portrait's previews are higher than wide, and so is a film's that only its rotation makes upright."""
    wide = make_clip(tmp_path / "wide.mp4", seconds=3, size="640x360", audio=False)
    film = turned(wide, tmp_path / "turned.mov", 90)
    for path in (make_clip(tmp_path / "upright.mp4", seconds=3, size="360x640", audio=False), film):
        job = drive(own_services, settings, path)
        assert {(one.width, one.height) for one in previews(own_services, job)} == {(90, 160)}
        assert look(made(own_services, job, "poster.jpg")).size == (360, 640)


def test_one_frame_has_one_preview(own_services: Services, settings: Settings, tmp_path: Path) -> None:
    """The shortest video there is has a poster and a preview of its only picture."""
    job = drive(own_services, settings, shot(tmp_path / "one.mp4", "testsrc2=size=320x180:rate=25", "-frames:v", "1"))
    assert (job.state, job.has_poster, job.has_storyboard) == (JobState.READY, True, True)
    (only,) = previews(own_services, job)
    assert (only.start, only.end) == (Fraction(0), Fraction(1, 25))


def test_previews_end_where_a_damaged_video_ends(
    clip: Clip, own_services: Services, settings: Settings, tmp_path: Path
) -> None:
    """Fewer frames than planned have previews of what there is; beside sound the last picture would stand."""
    source = clip("for_damage.mp4", seconds=4, audio=False)
    job = drive(own_services, settings, overwritten(source, tmp_path / "hole.mp4", stream=0, share=0.5))
    frames = report(own_services, job)["frames"]
    assert job.plan is not None
    assert frames < job.plan.frames
    assert float(previews(own_services, job)[-1].end) == pytest.approx(frames / 30, abs=0.0005)


def test_a_storyboard_that_fails_costs_only_itself(
    clip: Clip, own_services: Services, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The video is ready all the same, and says that there are no previews."""
    monkeypatch.setattr(storyboard, "sheet_command", lambda *_: ["ffmpeg", "-nostdin", "-i", "file:/nowhere"])
    job = drive(own_services, settings, clip("without.mp4", seconds=1))
    assert (job.state, job.error, job.has_storyboard) == (JobState.READY, None, False)
    assert names(own_services, job) & ALWAYS == {"poster.jpg", "report.json"}


def poster_of(services: Services, settings: Settings, source: Path) -> Path:
    """Work at a job until its poster is there; return it."""
    job = submit(services, source)
    while not services.jobs.get(job.id).has_poster:
        assert step(services, settings), "nothing is left to do"
    return made(services, job, "poster.jpg")


BLACK_FIRST = "testsrc2=size=320x180:rate=25:duration={picture},tpad=start_duration={black}:color=black"


@pytest.mark.parametrize("suffix", ["mp4", "ts", "mkv"])
@pytest.mark.parametrize("options", ["", ONE_KEYFRAME], ids=["keyframes", "one_keyframe"])
@pytest.mark.parametrize(("black", "picture"), [(3, 7), (6, 4)])
def test_a_poster_is_not_black(
    black: int, picture: int, options: str, suffix: str, own_services: Services, settings: Settings, tmp_path: Path
) -> None:
    """Behind three seconds of black, or more black than picture, with keyframes to look at and without."""
    source = BLACK_FIRST.format(picture=picture, black=black)
    poster = poster_of(own_services, settings, shot(tmp_path / f"black.{suffix}", source, *options.split()))
    assert brightness(poster) > 60


def test_a_black_video_has_a_black_poster(own_services: Services, settings: Settings, tmp_path: Path) -> None:
    """Where there is nothing to see, that is what is shown."""
    night = shot(tmp_path / "night.mp4", "color=black:size=320x180:rate=25:duration=3")
    assert brightness(poster_of(own_services, settings, night)) < 20


def test_a_poster_of_an_interlaced_video_has_no_combs(
    own_services: Services, settings: Settings, tmp_path: Path
) -> None:
    """Of a frame whose fields differ only one field is seen."""
    source = "nullsrc=size=320x240:rate=50:duration=4,geq=lum='if(mod(N,2),220,40)':cb=128:cr=128,interlace=lowpass=off"
    options = ["-flags", "+ildct+ilme", "-x264-params", "tff=1"]
    poster = poster_of(own_services, settings, shot(tmp_path / "fields.ts", source, *options))
    rows = [brightness(poster, crop=f"320:1:0:{row}") for row in range(100, 120)]
    assert max(rows) - min(rows) < 3
