"""Chapters for ffmpeg: what it reads is what was meant, whatever a title holds; the real one is asked."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from storage.errors import OutputMismatchError
from storage.model.timed_text import Chapter
from workers.ffmpeg.commands import PackedSound, package_command
from workers.ffmpeg.mp4_boxes import boxes
from workers.ffmpeg.mp4_chapters import ffmetadata, with_chapters, within
from workers.ffmpeg.published_boxes import Finished, check_finished

CHAPTERS = (
    Chapter(0.0, 0.5, "Opening"),
    Chapter(0.5, 1.0, "#1; a=b \\ [CHAPTER] \\n title=x"),
    Chapter(1.0, 1.25, "\u7b2c\u4e00\u7ae0 \U0001f3ac <i>&amp;"),
    Chapter(1.5, 2.0, ""),
)


def test_chapters_end_with_the_pictures() -> None:
    """Those behind a damaged end are left out."""
    assert within(CHAPTERS, 1.25) == CHAPTERS[:3]
    assert within(CHAPTERS, 1.75) == (*CHAPTERS[:3], Chapter(1.5, 1.75, ""))
    assert within(CHAPTERS, 0.0) == ()


@pytest.mark.parametrize("sound", [True, False], ids=["sound", "silent"])
def test_an_mp4_has_the_chapters(tmp_path: Path, *, sound: bool) -> None:
    """Each with its times and its title to the sign; it passes as a file of ours, and with another number does not."""
    pictures, heard = tmp_path / "v.mp4", tmp_path / "a.mp4"
    _ffmpeg("-f lavfi -i testsrc2=size=64x48:rate=25:duration=2 -c:v libx264 -pix_fmt yuv420p", pictures)
    _ffmpeg("-f lavfi -i sine=duration=2:sample_rate=48000 -c:a aac", heard)
    listed, target = tmp_path / "chapters.txt", tmp_path / "whole.mp4"
    listed.write_text(ffmetadata(CHAPTERS))
    command = package_command(pictures, [PackedSound(heard)] if sound else [], target, seconds=2.0)
    subprocess.run(with_chapters(command, str(listed)), check=True, capture_output=True, timeout=60)
    assert [
        (float(one["start_time"]), float(one["end_time"]), one["tags"]["title"]) for one in _looked(target)["chapters"]
    ] == [
        (0.0, 0.5, CHAPTERS[0].title),
        (0.5, 1.0, CHAPTERS[1].title),
        (1.0, 1.5, CHAPTERS[2].title),  # a track has no room for a gap
        (1.5, 2.0, "4"),
    ]
    assert set(_looked(target)["format"]["tags"]) == {"major_brand", "minor_version", "compatible_brands"}
    planned = Finished(frames=50, ticks=512, timescale=12_800, sounds=int(sound))
    with target.open("rb") as file:
        assert [box.kind for box in boxes(file, 0, target.stat().st_size)][:2] == [b"ftyp", b"moov"]
        check_finished(file, target.stat().st_size, replace(planned, chapters=4))
        for count in (0, 3):
            with pytest.raises(OutputMismatchError):
                check_finished(file, target.stat().st_size, replace(planned, chapters=count))


def _ffmpeg(options: str, target: Path) -> None:
    command = ["ffmpeg", "-nostdin", "-v", "error", *options.split(), str(target)]
    subprocess.run(command, check=True, capture_output=True, timeout=60)


def _looked(path: Path) -> dict[str, Any]:
    command = ["ffprobe", "-v", "error", "-of", "json", "-show_format", "-show_chapters", str(path)]
    answer: dict[str, Any] = json.loads(subprocess.run(command, check=True, capture_output=True, timeout=60).stdout)
    return answer
