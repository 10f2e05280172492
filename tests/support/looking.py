"""Looking at finished videos with ffprobe and ffmpeg: what a player would find."""

from __future__ import annotations

import json
import subprocess
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SAMPLE_RATE = 48_000
_DEADLINE_SECONDS = 120
_SIDE = 16  # pixels of the small pictures that brightness is taken of
_BRIGHT = 128  # half of the range
_LOUD = 3000  # a tenth of the range: above what a codec rings with
_QUIET_SECONDS = 0.2  # a new tone begins after so much silence
_HEADER_BYTES = 8


@dataclass(frozen=True, slots=True)
class Looked:
    """Streams as ffprobe describes them, packets counted, by kind (`video`, `audio`): of several `sounds` the first.

    `texts` are tracks of subtitles.
    """

    streams: dict[str, dict[str, Any]]
    sounds: tuple[dict[str, Any], ...]
    texts: tuple[dict[str, Any], ...]
    chapters: int
    tags: dict[str, str]

    @property
    def frames(self) -> int:
        """Packets of the video stream."""
        return int(self.streams["video"]["nb_read_packets"])

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the picture."""
        return self.streams["video"]["width"], self.streams["video"]["height"]

    def seconds(self, kind: str) -> float:
        """Return the stream's length."""
        return float(self.streams[kind]["duration"])


def look(path: Path) -> Looked:
    """Return what ffprobe finds in the file, its packets counted."""
    answer = _ffprobe(path, "-count_packets", "-show_streams", "-show_chapters", "-show_format")
    sounds = tuple(stream for stream in answer["streams"] if stream["codec_type"] == "audio")
    texts = tuple(stream for stream in answer["streams"] if stream["codec_type"] == "subtitle")
    others = [stream for stream in answer["streams"] if stream["codec_type"] not in {"audio", "subtitle"}]
    streams = {stream["codec_type"]: stream for stream in (*others, *sounds[:1])}
    assert len(streams) == len(others) + len(sounds[:1]), "two streams of a kind"
    return Looked(streams, sounds, texts, len(answer["chapters"]), answer["format"].get("tags", {}))


def frame_times(path: Path) -> list[float]:
    """Return the presentation times of all pictures, in order, in seconds on the file's own clock."""
    answer = _ffprobe(path, "-select_streams", "v:0", "-show_entries", "frame=pts_time")
    return [float(frame["pts_time"]) for frame in answer["frames"]]


def flashes(path: Path) -> list[float]:
    """Return when the picture turns bright, in seconds."""
    return list(_beginnings(time for time, on in zip(frame_times(path), _bright(path), strict=True) if on))


def flash_frames(path: Path) -> list[int]:
    """Return the numbers of the frames that turn bright, where the file's times are not what counts."""
    bright = _bright(path)
    return [number for number, on in enumerate(bright) if on and not (number and bright[number - 1])]


def beeps(path: Path) -> list[float]:
    """Return when a tone begins after silence, in seconds on the file's own clock."""
    return list(_beginnings(number / SAMPLE_RATE for number, sample in enumerate(samples(path)) if abs(sample) > _LOUD))


def samples(path: Path, track: int = 0) -> array[int]:
    """Return a track of sound as one channel from the clock's beginning on, SAMPLE_RATE samples of 16 bits a second."""
    filters = f"aresample={SAMPLE_RATE}:async=1:first_pts=0"
    heard = array("h")
    heard.frombytes(_decoded(path, "-map", f"0:a:{track}", "-af", filters, "-ac", "1", "-f", "s16le"))
    return heard


def brightness(path: Path, *, crop: str = "iw:ih") -> float:
    """Return how bright a picture is on average, 0 to 255, or a part of it (`width:height:x:y`)."""
    filters = f"format=gray,crop={crop},scale=1:1:flags=area"
    (average,) = _decoded(path, "-frames:v", "1", "-vf", filters, "-f", "rawvideo")
    return average


def top_boxes(path: Path) -> list[str]:
    """Return the types of the file's top-level boxes, in order."""
    data, place, kinds = path.read_bytes(), 0, []
    while place < len(data):
        size = int.from_bytes(data[place : place + 4], "big")
        kinds.append(data[place + 4 : place + _HEADER_BYTES].decode())
        assert size >= _HEADER_BYTES, "no box of small files has a long size"
        place += size
    return kinds


def _bright(path: Path) -> list[bool]:
    """Tell of each picture whether it is bright."""
    size = _SIDE * _SIDE
    output = ("-map", "0:v:0", "-vsync", "passthrough", "-vf", f"scale={_SIDE}:{_SIDE}", "-pix_fmt", "gray")
    raw = _decoded(path, *output, "-f", "rawvideo")
    return [sum(raw[start : start + size]) > _BRIGHT * size for start in range(0, len(raw), size)]


def _beginnings(times: Iterable[float]) -> Iterator[float]:
    """Yield the times that follow a pause."""
    last = float("-inf")
    for time in times:
        if time - last > _QUIET_SECONDS:
            yield time
        last = time


def _ffprobe(path: Path, *options: str) -> dict[str, Any]:
    command = ["ffprobe", "-v", "error", "-of", "json", *options, str(path)]
    answer = subprocess.run(command, check=True, timeout=_DEADLINE_SECONDS, capture_output=True)
    facts: dict[str, Any] = json.loads(answer.stdout)
    return facts


def _decoded(path: Path, *output: str) -> bytes:
    command = ["ffmpeg", "-nostdin", "-v", "error", "-i", str(path), *output, "-"]
    return subprocess.run(command, check=True, timeout=_DEADLINE_SECONDS, capture_output=True).stdout
