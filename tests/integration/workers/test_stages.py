"""All stages with the real ffmpeg on small clips: what comes out is exactly what was planned."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from storage.model.job import JobState
from storage.model.job_warnings import warning
from storage.model.task import Stage, Task
from storage.objects import keys
from storage.services import Services
from storage.services.connect import open_objects
from storage.settings import Settings
from tests.support.clips import make_clip, overwritten
from tests.support.coded_clips import Clip as Coded
from tests.support.coded_clips import coded_clip
from tests.support.coded_results import decoded_ways
from tests.support.driving import drive, drive_on, step, submit
from tests.support.looking import beeps, flashes, frame_times, look, top_boxes
from tests.support.processes import arguments_of, descendants
from tests.support.results import ALWAYS, assert_whole, fragments, made, names, report
from workers.attempts.attempt import attempt_task
from workers.attempts.fallback import NOT_CUT
from workers.ffmpeg.filters import SPARE_FRAMES
from workers.stages import STAGES

Clip = Callable[..., Path]
SYNC_SECONDS = 0.020  # people notice sound that leads by 45 ms; half a frame at 30 frames a second is 17 ms


@pytest.mark.parametrize(
    ("rate", "frames"), [("24000/1001", 36), ("25", 38), ("30000/1001", 45), ("60000/1001", 90)], ids=str
)
def test_a_clip_becomes_its_ladder(
    rate: str, frames: int, clip: Clip, own_services: Services, settings: Settings
) -> None:
    """Every rung has every frame, plays from its first bytes on; fragments and results are kept, and nothing else."""
    source = clip(f"ladder_{frames}.mp4", seconds=float(frames / Fraction(rate)), size="1280x720", rate=rate)
    job = drive(own_services, settings, source)
    assert (job.state, job.error, job.warnings) == (JobState.READY, None, ())
    assert job.plan is not None
    for rung, size in (("720p", (1280, 720)), ("480p", (854, 480))):
        path = made(own_services, job, f"{rung}.mp4")
        looked = look(path)
        assert looked.size == size
        assert_whole(looked, frames=frames, rate=Fraction(rate), audio=True)
        times = frame_times(path)
        assert times == pytest.approx([float(n / Fraction(rate)) for n in range(frames)], abs=0.0005)
        boxes = top_boxes(path)
        assert boxes.index("moov") < boxes.index("mdat")
        video = looked.streams["video"]
        assert (video["codec_name"], video["profile"], video["pix_fmt"]) == ("h264", "High", "yuv420p")
        assert (looked.streams["audio"]["codec_name"], looked.streams["audio"]["profile"]) == ("aac", "LC")
    assert names(own_services, job) == {"720p.mp4", "480p.mp4"} | ALWAYS | fragments(job, ("720p", "480p"))
    assert {output.rung: output.size for output in job.outputs} == {
        rung: made(own_services, job, f"{rung}.mp4").stat().st_size for rung in ("720p", "480p")
    }
    assert job.has_poster
    assert look(made(own_services, job, "poster.jpg")).size == (1280, 720)
    facts = report(own_services, job)
    assert (facts["frames"], facts["plan"]["frames"], facts["warnings"]) == (frames, frames, [])
    segments = [f"segment:{segment['index']}" for segment in facts["segments"]]
    assert len(segments) == job.plan.segment_count
    assert set(facts["tasks"]) == {"audio:0", "poster:0", *segments}
    assert sum(facts["tasks"][name]["frames"] for name in segments) == frames
    assert list(settings.scratch_dir.iterdir()) == []


def test_every_picture_is_the_sources(clip: Clip, own_services: Services, settings: Settings) -> None:
    """Picture for picture the result looks as the source does, so none is doubled, lost or out of place."""
    source = clip("pictures.mp4", seconds=2, size="320x180", rate="25", audio=False)
    job = drive(own_services, settings, source)
    target = made(own_services, job, "180p.mp4")
    compared = ["ffmpeg", "-nostdin", "-v", "error", "-i", str(source), "-i", str(target)]
    lines = subprocess.run(
        [*compared, "-lavfi", "[0:v][1:v]ssim=stats_file=-", "-f", "null", "-"],
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    ).stdout.splitlines()
    likeness = [float(line.partition("All:")[2].split()[0]) for line in lines]
    assert len(likeness) == 50
    assert min(likeness) > 0.9


def test_a_silent_clip_stays_silent(clip: Clip, own_services: Services, settings: Settings) -> None:
    """No sound is no fault and no warning."""
    job = drive(own_services, settings, clip("silent.mp4", seconds=1, audio=False))
    assert (job.state, job.warnings) == (JobState.READY, ())
    assert_whole(look(made(own_services, job, "180p.mp4")), frames=30, rate=Fraction(30), audio=False)


def test_sound_that_cannot_be_decoded_costs_the_sound(
    clip: Clip, own_services: Services, settings: Settings, tmp_path: Path
) -> None:
    """The video is made without sound, and says so."""
    broken = overwritten(clip("sound.mp4", seconds=1), tmp_path / "broken.mp4", stream=1, share=1.0)
    job = drive(own_services, settings, broken)
    assert job.state is JobState.READY
    assert job.warnings == (warning("sound_undecodable"),)
    assert_whole(look(made(own_services, job, "180p.mp4")), frames=30, rate=Fraction(30), audio=False)


def test_a_damaged_end_costs_the_end(clip: Clip, own_services: Services, settings: Settings, tmp_path: Path) -> None:
    """What can be decoded is kept, picture and sound equally long, with a warning that says how much it is."""
    whole = clip("whole.mp4", seconds=4)
    silent = overwritten(whole, tmp_path / "silent.mp4", stream=1, share=0.5)
    job = drive(own_services, settings, overwritten(silent, tmp_path / "hole.mp4", stream=0, share=0.5))
    assert job.state is JobState.READY
    in_one_piece, damaged, *torn = job.warnings
    assert in_one_piece == NOT_CUT
    assert {known.code for known in torn} <= {"pictures_missing", "pictures_repaired", "sound_missing"}
    frames = report(own_services, job)["frames"]
    assert damaged.code == "cut_short"
    assert damaged.values == {"done": pytest.approx((frames - SPARE_FRAMES) / 30, abs=0.1), "whole": 4.0}
    assert 50 <= frames <= 70
    assert_whole(look(made(own_services, job, "180p.mp4")), frames=frames, rate=Fraction(30), audio=True)


@pytest.mark.parametrize(("sound", "expected"), [(4.0, 4.0), (6.0, 6.0), (3.0, 3.0)])
def test_the_last_picture_stands_where_pictures_end_in_damage(
    sound: float, expected: float, own_services: Services, settings: Settings, tmp_path: Path
) -> None:
    """No sound is lost, however long it is, and the warning says how much there is of the pictures."""
    whole = coded_clip(tmp_path / "whole.mp4", Coded(seconds=4.0, sound_seconds=sound))
    job = drive(own_services, settings, overwritten(whole, tmp_path / "hole.mp4", stream=0, share=0.5))
    (damaged,) = (known for known in job.warnings if known.code == "cut_short")
    assert damaged.values == {"done": pytest.approx(2.0, abs=0.3), "whole": 4.0}
    assert job.plan is not None
    for decoded in decoded_ways(own_services, job, job.plan.rungs[0].name, tmp_path).values():
        came = decoded.came()
        shown = list(dict.fromkeys(came.numbers))
        assert shown == list(range(len(shown)))
        assert len(shown) == pytest.approx(50, abs=7)
        assert came.beeps is not None
        assert [beep.k for beep in came.beeps] == list(range(int(sound)))
        assert len(came.numbers) / 25 == pytest.approx(expected, abs=0.06)


def test_a_file_that_was_cut_off_plays_to_the_cut(
    clip: Clip, own_services: Services, settings: Settings, tmp_path: Path
) -> None:
    """Half of a transport stream is a shorter video."""
    data = clip("cut.ts", seconds=4).read_bytes()
    (tmp_path / "half.ts").write_bytes(data[: len(data) // 2])
    job = drive(own_services, settings, tmp_path / "half.ts")
    assert job.state is JobState.READY
    frames = report(own_services, job)["frames"]
    assert 40 <= frames <= 80
    assert_whole(look(made(own_services, job, "180p.mp4")), frames=frames, rate=Fraction(30), audio=True)


def test_nothing_to_decode_is_said(clip: Clip, own_services: Services, settings: Settings, tmp_path: Path) -> None:
    """A whole index over zeros ends as decode_failed, and nothing that was made of it is left."""
    empty = overwritten(clip("empty.mp4", seconds=1, audio=False), tmp_path / "zeros.mp4", stream=0, share=1.0)
    job = drive(own_services, settings, empty)
    assert job.state is JobState.FAILED
    assert job.error is not None
    assert job.error.code == "decode_failed"
    assert str(own_services.objects.local_path(keys.original(job.id))) not in job.error.detail
    assert list(own_services.objects.keys(keys.renditions(job.id))) == []


def test_tags_stay_with_the_original(clip: Clip, own_services: Services, settings: Settings, tmp_path: Path) -> None:
    """Names and places in the upload are not published with the result; its chapters are what viewers choose by."""
    notes, tagged = tmp_path / "notes.txt", tmp_path / "tagged.mp4"
    notes.write_text(
        ";FFMETADATA1\ntitle=Private\nlocation=+52.5+013.4/\n[CHAPTER]\nTIMEBASE=1/1\nSTART=0\nEND=1\ntitle=Opening\nartist=Secret\n"
    )
    command = ["ffmpeg", "-nostdin", "-v", "error", "-i", str(clip("plain.mp4", seconds=1)), "-i", str(notes)]
    subprocess.run([*command, "-map_metadata", "1", "-c", "copy", str(tagged)], check=True, timeout=60)
    job = drive(own_services, settings, tagged)
    target = made(own_services, job, "180p.mp4")
    looked = look(target)
    assert (job.state, looked.chapters) == (JobState.READY, 1)
    assert set(looked.tags) <= {"major_brand", "minor_version", "compatible_brands", "encoder"}
    assert not any(word in target.read_bytes() for word in (b"Private", b"Secret", b"52.5"))


PICTURE = "color=black:size=160x120:rate=30:duration=4,drawbox=color=white:thickness=fill:enable='lt(mod(t,1),0.09)'"
SOUND = "aevalsrc='0.8*sin(2*PI*1000*t)*lt(mod(t,1),0.09)':sample_rate=48000:duration=4"
ENCODED = "-c:v libx264 -preset veryfast -bf 3 -g 30 -pix_fmt yuv420p -c:a aac -b:a 128k"


def flash_and_beep(path: Path, sound_filter: str, output: str) -> Path:
    """Write a clip that flashes and beeps at each full second; the filter may cut the sound."""
    command = ["ffmpeg", "-nostdin", "-v", "error", "-f", "lavfi", "-i", PICTURE, "-f", "lavfi", "-i", SOUND]
    subprocess.run(
        [*command, "-af", sound_filter, *ENCODED.split(), *output.split(), str(path)], check=True, timeout=60
    )
    return path


@pytest.mark.parametrize(
    ("name", "sound_filter", "output", "first_beep"),
    [
        ("together.mp4", "anull", "", 0),
        ("together.mkv", "anull", "", 0),
        ("late.mkv", "atrim=start=0.7", "", 1),
        ("late.mp4", "atrim=start=0.7", "", 1),
        ("offset.ts", "anull", "-output_ts_offset 367.5", 0),
        ("late_offset.ts", "atrim=start=0.7", "-output_ts_offset 367.5", 1),
    ],
)
def test_flash_and_beep_stay_together(
    name: str,
    sound_filter: str,
    output: str,
    first_beep: int,
    own_services: Services,
    settings: Settings,
    tmp_path: Path,
) -> None:
    """Sound and picture keep within 20 ms of each other, whatever clock the source counts on."""
    source = flash_and_beep(tmp_path / name, sound_filter, output)
    job = drive(own_services, settings, source)
    assert (job.state, job.warnings) == (JobState.READY, ())
    target = made(own_services, job, "120p.mp4")
    assert flashes(target) == pytest.approx([0, 1, 2, 3], abs=SYNC_SECONDS)
    assert beeps(target) == pytest.approx([0, 1, 2, 3][first_beep:], abs=SYNC_SECONDS)
    assert_whole(look(target), frames=120, rate=Fraction(30), audio=True)


def test_sound_before_the_first_picture_is_kept(own_services: Services, settings: Settings, tmp_path: Path) -> None:
    """A source whose picture begins half a second after its sound begins with the sound; the first picture stands."""
    whole = flash_and_beep(tmp_path / "whole.mkv", "anull", "")
    late, copied = tmp_path / "late_picture.mkv", ["-map", "0:v", "-map", "1:a", "-c", "copy"]
    command = ["ffmpeg", "-nostdin", "-v", "error", "-itsoffset", "0.5", "-i", str(whole), "-i", str(whole)]
    subprocess.run([*command, *copied, str(late)], check=True, timeout=60)
    job = drive(own_services, settings, late)
    target = made(own_services, job, "120p.mp4")
    assert job.state is JobState.READY
    # The timeline begins whole frames before the first picture, so up to one before the sound.
    first, *later = beeps(target)
    assert -SYNC_SECONDS <= first <= 1 / 30 + SYNC_SECONDS
    assert later == pytest.approx([first + n for n in (1, 2, 3)], abs=SYNC_SECONDS)
    assert flashes(target) == pytest.approx([0, *(first + n + 0.5 for n in (1, 2, 3))], abs=SYNC_SECONDS)


def test_sound_that_goes_on_keeps_the_last_picture(own_services: Services, settings: Settings, tmp_path: Path) -> None:
    """A picture of one second with three seconds of sound is a video of three seconds."""
    picture, source = make_clip(tmp_path / "picture.mp4", seconds=1, audio=False), tmp_path / "tail.mp4"
    sound = ["-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000:duration=3"]
    command = ["ffmpeg", "-nostdin", "-v", "error", "-i", str(picture), *sound, "-c:v", "copy", "-c:a", "aac"]
    subprocess.run([*command, str(source)], check=True, timeout=60)
    job = drive(own_services, settings, source)
    assert (job.state, job.warnings) == (JobState.READY, ())
    assert_whole(look(made(own_services, job, "180p.mp4")), frames=90, rate=Fraction(30), audio=True)


@pytest.fixture
def s3_services(own_services: Services, s3_settings: Settings) -> Services:
    """Give the same parts with the objects in a real MinIO."""
    objects = open_objects(s3_settings, patience=2.0)
    objects.prepare()
    return replace(own_services, objects=objects)


def test_the_original_is_read_from_minio(clip: Clip, s3_services: Services, settings: Settings, tmp_path: Path) -> None:
    """Through the relay the result is the same: every frame, sound, pictures, and nothing left in between."""
    job = drive(s3_services, settings, clip("bucket.mp4", seconds=1))
    assert (job.state, job.error, job.warnings) == (JobState.READY, None, ())
    assert names(s3_services, job) == {"180p.mp4"} | ALWAYS | fragments(job, ("180p",))
    s3_services.objects.fetch(keys.rendition(job.id, "180p.mp4"), tmp_path / "180p.mp4")
    assert_whole(look(tmp_path / "180p.mp4"), frames=30, rate=Fraction(30), audio=True)


def test_where_an_original_was_read_is_not_shown(
    clip: Clip, s3_services: Services, settings: Settings, tmp_path: Path
) -> None:
    """Who may see why a job failed may not therefore fetch its original from the store."""
    source = clip("zeros.mp4", seconds=1, audio=False)
    damaged = drive(s3_services, settings, overwritten(source, tmp_path / "zeros.mp4", stream=0, share=1.0))
    (tmp_path / "noise.mp4").write_bytes(b"noise\0\xff" * 1000)
    noise = drive(s3_services, settings, tmp_path / "noise.mp4")
    for job, code in ((damaged, "decode_failed"), (noise, "not_a_video")):
        assert job.error is not None
        assert job.error.code == code
        assert job.error.detail
        assert "127.0.0.1" not in job.error.detail


def test_an_ffmpeg_whose_input_stands_still_is_ended(
    clip: Clip, own_services: Services, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that gives nothing: the watchdog ends ffmpeg before its deadline, and the attempt is counted and named."""
    impatient = settings.model_copy(update={"stall_seconds": 3})
    job = submit(own_services, clip("still.mp4", seconds=1, audio=False))
    while not own_services.publisher.pending() >= {(job.id, "segment:0")}:
        assert step(own_services, settings)
    original = own_services.objects.local_path(keys.original(job.id))
    assert original is not None
    kept = original.rename(original.with_suffix(".kept"))
    os.mkfifo(original)  # nobody ever writes to it
    with monkeypatch.context() as patched:
        patched.setattr(own_services.objects, "stat", lambda _: None)  # a pipe is no object
        attempt_task(Task(job.id, Stage.SEGMENT), STAGES[Stage.SEGMENT], own_services, impatient)
    kept.replace(original)
    (failed,) = own_services.jobs.get(job.id).failed_attempts
    assert (failed.task, failed.code) == ("segment:0", "tool_timeout")
    assert [pid for pid in descendants(os.getpid()) if job.id in " ".join(arguments_of(pid))] == []
    assert drive_on(own_services, settings, job).state is JobState.READY


def test_the_same_source_gives_the_same_bytes(clip: Clip, own_services: Services, settings: Settings) -> None:
    """Two attempts at the same task may both write: what they write does not differ."""
    source = clip("again.mp4", seconds=1)
    first, second = (drive(own_services, settings, source) for _ in range(2))
    for name in ("180p.mp4", *ALWAYS - {"report.json"}):
        assert made(own_services, first, name).read_bytes() == made(own_services, second, name).read_bytes()
