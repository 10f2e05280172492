"""Opening an upload as the pipeline's commands do, and looking for what a tool opened or reached beside it."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.support.canaries import SECRET
from workers.sandbox.allowed_inputs import as_input

# Names by which ffmpeg guesses what a file is, where the bytes leave a doubt, or what lies beside it.
WRONG_NAMES = (
    "upload.mp4", "upload.m3u8", "upload.ffconcat", "upload.mpd", "upload.sdp", "upload.idx", "picture_%03d.png",
    "upload.txt", "upload.avi", "upload.ans", "concat:secret.ts|secret.mp4", "upload",
)  # fmt: skip
OPENING_SECONDS = 20


def opened(path: Path, options: Sequence[str]) -> str:
    """Open the file by ffprobe and by ffmpeg with these options before it; return all that they said."""
    commands = (
        ["ffprobe", "-v", "info", *options, "-show_format", "-show_streams", "-show_packets", as_input(str(path))],
        [
            "ffmpeg",
            "-nostdin",
            "-v",
            "info",
            *options,
            "-t",
            "1",
            "-i",
            as_input(str(path)),
            "-map",
            "0",
            "-f",
            "null",
            "-",
        ],
    )
    return "".join(_said(command) for command in commands)


def tells_a_secret(said: str) -> bool:
    """Tell whether what was said has something from a file beside, or from the machine's own."""
    return SECRET in said or "root:" in said


def _said(command: list[str]) -> str:
    try:
        ended = subprocess.run(
            command, check=False, capture_output=True, timeout=OPENING_SECONDS, stdin=subprocess.DEVNULL
        )
    except subprocess.TimeoutExpired as error:
        return (error.stdout or b"").decode(errors="replace") + (error.stderr or b"").decode(errors="replace")
    return ended.stdout.decode(errors="replace") + ended.stderr.decode(errors="replace")
