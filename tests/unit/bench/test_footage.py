"""What the benches encode is whole: nobody measures how long damage takes."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.bench.footage import looped, openings_of
from tests.support.looking import frame_times

SECONDS, RATE = 2, 25


@pytest.mark.parametrize("suffix", [".ts", ".mp4"])
def test_a_clip_that_is_looped_keeps_the_pictures_at_its_joints(suffix: str, tmp_path: Path) -> None:
    """Whatever the clip is in, each time it begins with its keyframe, and no picture is missing."""
    clip = tmp_path / f"clip{suffix}"
    picture = ["-f", "lavfi", "-i", f"testsrc2=size=64x48:rate={RATE}:duration={SECONDS}"]
    codec = ["-c:v", "libx264", "-preset", "veryfast", "-bf", "2", "-pix_fmt", "yuv420p"]
    subprocess.run(["ffmpeg", "-nostdin", "-v", "error", *picture, *codec, str(clip)], check=True, timeout=60)
    film = looped(clip, tmp_path / "film.mp4", 3 * SECONDS)
    assert {0.0, SECONDS, 2 * SECONDS} <= {round(at, 2) for at in openings_of(film)}
    assert frame_times(film)[: 3 * SECONDS * RATE] == pytest.approx([n / RATE for n in range(3 * SECONDS * RATE)])
