"""Decoding a video once from first byte to last, with ffmpeg alone: small pictures and thin sound with their times.

Times are those of the file's own clock, in the order in which the file has its packets.
"""

from __future__ import annotations

import re
import subprocess
import tempfile
import threading
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

SIDE = 48  # pixels: all pictures become squares, so that turns and mirrors of them can be compared as well
SAMPLE_RATE = 8000
MOST_SECONDS = 600.0  # of any source: longer ones are compared in their first ten minutes
MOST_PICTURES = 36_000  # ten minutes at 60 a second
_BYTES = 4  # of a sample: 16 bits for each ear
_DEADLINE_SECONDS = 1200.0
# A track may send its first packet late; ffmpeg by itself looks for 5 s.
LOOK = ("-probesize", "200M", "-analyzeduration", "120M")
# Times come as ticks of a clock: the seconds beside them have six digits, which is 0.1 s after some hours.
_CLOCK = re.compile(r"showinfo.*config in time_base: (\d+)/(\d+)")
_SHOWN = re.compile(r"showinfo.*\bn: *\d+ pts: *(\S+) .*\bsar:(\d+)/(\d+) s:(\d+)x(\d+) i:(.)")
_HEARD = re.compile(r"ashowinfo.*\bn:\d+ pts:(\S+) .*\bnb_samples:(\d+)")
NO_SAMPLES = np.zeros((0, 2), np.float32)
Small = NDArray[np.uint8]
Times = NDArray[np.float64]


@dataclass(frozen=True)
class Pictures:
    """All pictures in the order of decoding: grey squares, times (seconds), sizes and shape as a viewer sees them.

    `shapes` are width by height with the pixels' aspect applied; `bounded` tells that the source goes on.
    """

    small: Small
    times: Times
    sizes: NDArray[np.int64]
    shapes: Times
    interlaced: bool
    bounded: bool
    complaints: int

    def __len__(self) -> int:
        return len(self.times)


@dataclass(frozen=True)
class Sound:
    """Sound at SAMPLE_RATE: all samples of two ears, and of each piece its time (seconds) and how many it has."""

    samples: NDArray[np.float32]
    times: Times
    counts: NDArray[np.int64]
    bounded: bool

    def __len__(self) -> int:
        return len(self.times)


def pictures(path: Path, stream: int | str = "v:0") -> Pictures:
    """Decode one stream's pictures; none where ffmpeg can decode none. Of fields, each picture's first one is kept."""
    found = _pictures(path, stream, "null")
    if not found.interlaced:
        return found
    # A picture of two fields is a mixture of two moments: less like what came of it than its like elsewhere may be.
    return replace(_pictures(path, stream, "yadif=deint=interlaced"), interlaced=True)


def _pictures(path: Path, stream: int | str, fields: str) -> Pictures:
    filters = f"{fields},showinfo=checksum=0,scale={SIDE}:{SIDE}:flags=area,format=gray"
    output = ("-map", f"0:{stream}", "-vf", filters, "-fps_mode", "passthrough", "-f", "rawvideo")
    raw, lines, bounded = _run(path, output, most=MOST_PICTURES * SIDE * SIDE)
    shown, clocks = _shown(lines)
    count = min(len(shown), len(raw) // (SIDE * SIDE))
    shown = shown[:count]
    sizes = np.array([(int(width), int(height)) for *_, width, height, _ in shown], np.int64).reshape(-1, 2)
    aspects = [int(num) / int(den) if int(num) and int(den) else 1.0 for _, num, den, *_ in shown]
    return Pictures(
        small=np.frombuffer(raw, np.uint8, count * SIDE * SIDE).reshape(-1, SIDE, SIDE),
        times=_filled([_time(ticks, clock) for (ticks, *_), clock in zip(shown, clocks, strict=False)]),
        sizes=sizes,
        shapes=np.array(aspects) * sizes[:, 0] / np.maximum(sizes[:, 1], 1),
        interlaced=any(fields in "TB" for *_, fields in shown),
        bounded=bounded,
        complaints=sum("[error]" in line for line in lines),
    )


def sound(path: Path, stream: int | str = "a:0") -> Sound:
    """Decode one stream's sound; none where ffmpeg can decode none."""
    filters = f"aresample={SAMPLE_RATE},aformat=sample_fmts=s16:channel_layouts=stereo,ashowinfo"
    output = ("-map", f"0:{stream}", "-af", filters, "-f", "s16le")
    raw, lines, bounded = _run(path, output, most=int(MOST_SECONDS) * SAMPLE_RATE * _BYTES)
    heard = [match.groups() for line in lines if (match := _HEARD.search(line))]
    counts = np.array([int(count) for _, count in heard], np.int64)
    counts = counts[: int(np.searchsorted(np.cumsum(counts), len(raw) // _BYTES, side="right"))]
    samples = np.frombuffer(raw, "<i2", 2 * int(counts.sum())).reshape(-1, 2).astype(np.float32) / np.float32(32768)
    return Sound(
        samples, _filled([_time(ticks, 1 / SAMPLE_RATE) for ticks, _ in heard[: len(counts)]]), counts, bounded
    )


def _run(path: Path, output: tuple[str, ...], *, most: int) -> tuple[bytes, list[str], bool]:
    """Return what ffmpeg writes, its lines, and whether it was stopped after `most` bytes."""
    command = ["ffmpeg", "-nostdin", "-hide_banner", "-nostats", "-loglevel", "level+info"]
    # By the file's own clock, without ffmpeg's repairs: what jumps is to be seen jumping.
    command += [*LOOK, "-copyts", "-i", f"file:{path}", *output, "-"]
    with tempfile.TemporaryFile() as said:
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=said) as process:
            deadline = threading.Timer(_DEADLINE_SECONDS, process.kill)
            deadline.start()
            raw = _read(process.stdout, most)
            if len(raw) >= most:
                process.kill()
            process.wait()
            deadline.cancel()
        said.seek(0)
        return raw, said.read().decode(errors="replace").splitlines(), len(raw) >= most


def _read(pipe: IO[bytes] | None, most: int) -> bytes:
    assert pipe is not None
    return pipe.read(most)


def _shown(lines: list[str]) -> tuple[list[tuple[str, ...]], list[float]]:
    """Return what showinfo says of each picture, and the seconds of its clock's tick, which may change."""
    shown, clocks, tick = list[tuple[str, ...]](), list[float](), 0.0
    for line in lines:
        if match := _CLOCK.search(line):
            tick = int(match[1]) / int(match[2])
        elif match := _SHOWN.search(line):
            shown.append(match.groups())
            clocks.append(tick)
    return shown, clocks


def _time(ticks: str, tick: float) -> float:
    return float("nan") if ticks == "NOPTS" else int(ticks) * tick


def _filled(times: list[float]) -> Times:
    """Give what has no time that of the one before and a usual step."""
    found = np.array(times, np.float64)
    steps = np.diff(found[~np.isnan(found)])
    step = float(np.median(steps)) if len(steps) else 0.04
    for number in np.flatnonzero(np.isnan(found)):
        found[number] = found[number - 1] + step if number else 0.0
    return found
