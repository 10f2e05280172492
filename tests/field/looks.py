"""Looks at what numbers and beeps do not show: shapes, combs, ears, words. Each returns what is unlike."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from storage.model.job import Job
from tests.support.coded import beeps_in, discs_in
from tests.support.coded_results import SAMPLE_RATE, Decoded
from tests.support.coded_truth import BEEP_TOLERANCE

ROUND = 0.04  # a disc of 80 pixels may be one and a half longer than wide: edges fall between pixels
SMALLEST_DISC = 40  # pixels
SMALLEST_SIDE = 16
SHOWN = 3  # so many pictures of a kind are told
CHANGE = 25  # so many pictures at both ends show what is before and after a change
COMB_PIXELS = 1.5  # two fields of a bar that moves lie 4 pixels apart
LIKE = 0.9  # correlation of what is heard with what was to be


@dataclass(frozen=True)
class Made:
    """What was made of a source: the job, its rungs' MP4s, and its largest rung of a handy size, both ways."""

    source: Path
    job: Job
    mp4: dict[str, Path]
    ways: dict[str, Decoded]


def as_round_as_it_was(made: Made) -> list[str]:
    """The disc is round in every picture."""
    found = list[str]()
    for way, decoded in made.ways.items():
        sizes = discs_in(decoded.pictures)
        small = sizes.min(axis=1) < SMALLEST_DISC
        ratio = sizes[:, 0] / np.maximum(1, sizes[:, 1])
        wrong = np.flatnonzero(small | (np.abs(ratio - 1) > ROUND))
        if len(wrong):
            told = ", ".join(f"{sizes[n][0]} x {sizes[n][1]} in picture {n}" for n in wrong[:SHOWN])
            found.append(f"{way}: {len(wrong)} discs not round: {told}")
    return found


def changes_at_three_seconds(made: Made) -> list[str]:
    """Pictures look like the first ones for three seconds, and then like the last ones; one beside may be late."""
    found = list[str]()
    for way, decoded in made.ways.items():
        pictures = decoded.pictures.astype(np.float32)
        first, last = pictures[:CHANGE].mean(axis=0), pictures[-CHANGE:].mean(axis=0)
        to_first, to_last = (np.abs(pictures - one).mean(axis=(1, 2)) for one in (first, last))
        times = np.array(decoded.times)
        wrong = np.flatnonzero(((to_last < to_first) != (times > 2.999)) & (np.abs(times - 2.98) > 0.03))
        if len(wrong):
            told = f"from picture {wrong[0]} to {wrong[-1]}"
            found.append(f"{way}: {len(wrong)} pictures on the wrong side of the change, {told}")
    return found


def turned_canvas(made: Made) -> list[str]:
    """The top rung is as large as the shapes are: 320 by 180, lying or standing, or both in a square."""
    assert made.job.plan is not None
    top = made.job.plan.rungs[0]
    large = max(top.width, top.height) >= 320 and min(top.width, top.height) >= 180
    return [] if large else [f"top rung of {top.width} x {top.height}"]


def sides_of_a_block(made: Made) -> list[str]:
    """No rung has a side under 16."""
    assert made.job.plan is not None
    return [
        f"rung of {rung.width} x {rung.height}"
        for rung in made.job.plan.rungs
        if min(rung.width, rung.height) < SMALLEST_SIDE
    ]


def no_combs(made: Made) -> list[str]:
    """Even and odd lines show the bar at the same place, and it is at its place in time."""
    return [f"{way}: {told}" for way, decoded in made.ways.items() for told in _combs(decoded)]


def _combs(decoded: Decoded) -> Iterator[str]:
    pictures = decoded.pictures
    scale = pictures.shape[2] / 720
    even, odd = _bar(pictures[:, 0::2]), _bar(pictures[:, 1::2])
    combed = np.flatnonzero(~(np.abs(even - odd) <= COMB_PIXELS * scale))
    if len(combed):
        n = int(combed[0])
        yield f"{len(combed)} combed pictures: {even[n]:.1f} and {odd[n]:.1f} in picture {n}"
    frames = np.round(np.array(decoded.times) * 25)
    place = (16 + 8 * (frames % 75) + 11.5) * scale
    # A field later is 4 pixels on; the two pictures beside the change are as they are.
    off = np.flatnonzero((np.abs((even + odd) / 2 - place) > 12 * scale) & (frames % 75 != 0))
    if len(off):
        n = int(off[0])
        yield f"{len(off)} pictures late: bar at {(even[n] + odd[n]) / 2:.0f} instead of {place[n]:.0f} in picture {n}"


def _bar(lines: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return where the white bar's middle is, over all these lines of each picture."""
    columns = np.maximum(lines.astype(np.float64) - 64, 0).sum(axis=1)
    with np.errstate(invalid="ignore"):
        middle: NDArray[np.float64] = (columns * np.arange(columns.shape[1])).sum(axis=1) / columns.sum(axis=1)
    return middle


def right_or_silent(made: Made) -> list[str]:
    """Sound is right, or there is none and a warning says so; never noise."""
    found = list[str]()
    for way, decoded in made.ways.items():
        if decoded.sound is None or np.abs(decoded.sound).max() < 0.001:
            found += [] if made.job.warnings else [f"{way}: silence without a warning"]
            continue
        heard = beeps_in(decoded.sound.mean(axis=1), SAMPLE_RATE)
        right = len(heard) == 4 and all(b.k == k and abs(b.at - k) <= BEEP_TOLERANCE for k, b in enumerate(heard))
        found += [] if right else [f"{way}: not the sound: {[(round(b.at, 2), b.k) for b in heard]}"]
    return found


def same_in_both_ears(made: Made) -> list[str]:
    """Both ears hear the source's first track."""
    command = ["ffmpeg", "-nostdin", "-v", "error", "-i", str(made.source), "-map", "0:a:0", "-ac", "1"]
    command += ["-ar", str(SAMPLE_RATE), "-f", "f32le", "-"]
    first = np.frombuffer(subprocess.run(command, check=True, capture_output=True, timeout=60).stdout, "<f4")
    found = list[str]()
    for way, decoded in made.ways.items():
        if decoded.sound is None:
            found.append(f"{way}: no sound")
            continue
        likeness = [_likeness(decoded.sound[:, ear], first) for ear in (0, 1)]
        if min(likeness) < LIKE:
            found.append(f"{way}: ears are like the first track by {likeness[0]:.2f} and {likeness[1]:.2f}")
    return found


def _likeness(heard: NDArray[np.float32], wanted: NDArray[np.float32]) -> float:
    """Return the highest correlation within 100 ms of each other."""
    length = min(len(heard), len(wanted))
    one, other = heard[:length] - heard[:length].mean(), wanted[:length] - wanted[:length].mean()
    size = 1 << (2 * length).bit_length()
    crossed = np.fft.irfft(np.fft.rfft(one, size) * np.conj(np.fft.rfft(other, size)), size)
    near = SAMPLE_RATE // 10
    peak = max(crossed[:near].max(), crossed[-near:].max())
    return float(peak / (np.linalg.norm(one) * np.linalg.norm(other) + 1e-9))


def flat_or_told(made: Made) -> list[str]:
    """Every MP4 says that it is spherical, or a warning says that the result is flat."""
    if made.job.warnings:
        return []
    return [f"{rung} is flat without a word" for rung, path in made.mp4.items() if not _is_spherical(path)]


def _is_spherical(path: Path) -> bool:
    command = ["ffprobe", "-v", "error", "-of", "json", "-show_streams", str(path)]
    answer = json.loads(subprocess.run(command, check=True, capture_output=True, timeout=60).stdout)
    kinds = [data["side_data_type"] for stream in answer["streams"] for data in stream.get("side_data_list", [])]
    return "Spherical Mapping" in kinds


def said_truly(made: Made) -> list[str]:
    """An animated picture is encoded, or refused by a sentence that does not call it still."""
    if made.job.error is None:
        return [] if len(made.ways["MP4"].times) > 1 else ["a single picture"]
    return ["called a still picture"] if "still" in made.job.error.message else []
