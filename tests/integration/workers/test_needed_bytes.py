"""Real segments of a file of which only so much has come as they are said to need: the same bytes, and no waiting."""

from __future__ import annotations

import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from storage.errors import ToolTimeoutError, UploadPausedError
from tests.support.early import ComingFile, remuxed
from tests.support.planning_cost import LIMITS
from workers.ffmpeg.audio_commands import SoundFiles, audio_command
from workers.ffmpeg.commands import segment_command
from workers.ffmpeg.needed_bytes import needed_of_segments, needed_of_sound
from workers.planning.early import early_plan
from workers.planning.plan_file import PlannedFile, planned
from workers.sandbox import relay as relay_module
from workers.sandbox.arriving_view import PATIENCE_SECONDS
from workers.sandbox.reach import reach_of
from workers.sandbox.relay import Relay
from workers.sandbox.run import ToolLimits, Watch, run_tool

LIMITS_OF_TOOL = ToolLimits(120, PATIENCE_SECONDS)


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give half a minute with pictures that are held back, and its index last."""
    path = tmp_path_factory.mktemp("needed") / "film.mp4"
    picture = ["-f", "lavfi", "-i", "testsrc2=size=640x360:rate=30", "-f", "lavfi", "-i", "sine=sample_rate=48000"]
    codec = ["-t", "30", "-c:v", "libx264", "-preset", "veryfast", "-bf", "8", "-refs", "8", "-g", "90", "-c:a", "aac"]
    subprocess.run(["ffmpeg", "-nostdin", "-v", "error", *picture, *codec, str(path)], check=True, timeout=120)
    return path


def encoded(found: PlannedFile, index: int, url: str, folder: Path, limits: ToolLimits = LIMITS_OF_TOOL) -> list[bytes]:
    """Return what a segment becomes."""
    folder.mkdir(exist_ok=True)
    command = segment_command(found.plan, found.segments[index], url, folder)
    run_tool(command, limits, watch=Watch(), reach=reach_of(url, folder))
    return [(folder / f"{rung.name}.mp4").read_bytes() for rung in found.plan.rungs]


def heard(found: PlannedFile, url: str, folder: Path) -> list[bytes]:
    """Return what the sound becomes."""
    folder.mkdir(exist_ok=True)
    (audio,) = found.plan.audio
    command = audio_command(found.plan, [SoundFiles(audio, folder / "audio.mp4", folder / "heard.txt")], url)
    run_tool(command, LIMITS_OF_TOOL, watch=Watch(), reach=reach_of(url, folder))
    return [(folder / name).read_bytes() for name in ("audio.mp4", "heard.txt")]


@pytest.mark.parametrize("options", [(), ("-movflags", "+faststart")], ids=["index last", "index first"])
def test_a_segment_needs_no_more(film: Path, tmp_path: Path, options: tuple[str, ...]) -> None:
    """Each of them, by the plan that was made early; and the last one needs all of the file."""
    path = remuxed(film, tmp_path / "film.mp4", *options)
    coming = ComingFile(path)
    size = len(coming.data)
    found = early_plan(coming.guess(size // 3), LIMITS, Watch())
    assert found is not None
    needed = needed_of_segments(found.plan, found.segments, found.listing, size)
    assert sorted(needed) == list(needed)
    assert needed[0] < size / 3
    assert needed[-1] == size
    for index, come in enumerate(needed):
        with Relay(coming.waiting(come), "film", away=UploadPausedError) as relay:
            early = encoded(found, index, relay.url, tmp_path / "early")
            relay.check(failed=False)
        assert early == encoded(found, index, str(path), tmp_path / "late")


def test_what_comes_while_it_is_read_makes_no_difference(film: Path, tmp_path: Path) -> None:
    """The last segment and the sound follow an upload to its end, and are those of the whole file."""
    found, coming = planned(str(film), LIMITS, Watch()), ComingFile(film)
    size, last = len(coming.data), len(found.segments) - 1

    def come() -> None:
        while coming.come < size:
            coming.come = min(size, coming.come + size // 40)
            time.sleep(0.1)  # the pace of the line

    for make in (partial(encoded, found, last), partial(heard, found)):
        with Relay(coming.waiting(size // 10), "film", away=UploadPausedError) as relay, ThreadPoolExecutor(1) as pool:
            line = pool.submit(come)
            early = make(relay.url, tmp_path / "early")
            line.result()
            relay.check(failed=False)
        assert early == make(str(film), tmp_path / "late")


def test_a_segment_needs_about_so_much(film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With less than its own pictures it waits in vain, and is given back."""
    monkeypatch.setattr(relay_module, "AWAY_SECONDS", 1.0)
    found, coming = planned(str(film), LIMITS, Watch()), ComingFile(film)
    segment = found.segments[2]
    times, positions = (
        getattr(found.listing.columns[found.plan.video.stream], name) for name in ("times", "positions")
    )
    end = found.plan.video.start_time + float((segment.first_frame + segment.frames) / found.plan.rate)
    last = max(place for time, place in zip(times, positions, strict=True) if time < end)
    with Relay(coming.waiting(last), "film", away=UploadPausedError) as relay:
        with pytest.raises(ToolTimeoutError):
            encoded(found, 2, relay.url, tmp_path / "early", ToolLimits(120, 3))
        with pytest.raises(UploadPausedError):
            relay.check(failed=True)


def test_the_sound_needs_no_more(film: Path, tmp_path: Path) -> None:
    """It is encoded in one piece, so that is nearly all of the file; an index behind it need not have come."""
    found, coming = planned(str(film), LIMITS, Watch()), ComingFile(film)
    come = needed_of_sound(found.plan, found.listing, len(coming.data))
    with Relay(coming.waiting(come), "film", away=UploadPausedError) as relay:
        early = heard(found, relay.url, tmp_path / "early")
        relay.check(failed=False)
    assert early == heard(found, str(film), tmp_path / "late")
