"""Subtitles of finished videos, as a player would find them."""

from __future__ import annotations

import subprocess
from pathlib import Path

from storage.captions.cues import Cue
from storage.captions.reading import Format, cues_of

_DEADLINE_SECONDS = 120


def in_mp4(path: Path, number: int) -> tuple[Cue, ...]:
    """Return the cues of a track of an MP4, as ffmpeg reads them."""
    command = ["ffmpeg", "-nostdin", "-v", "error", "-i", str(path), "-map", f"0:s:{number}", "-f", "srt", "-"]
    said = subprocess.run(command, check=True, capture_output=True, timeout=_DEADLINE_SECONDS).stdout
    return tuple(cues_of(said.decode(), Format.SUBRIP))
