"""What came out of a job, as a viewer finds it: each rung's MP4 and each playlist, decoded once."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from storage.model.plan import MOST_SOUNDS, sound_name
from tests.files import boxes
from tests.files.decoding import NO_SAMPLES, SAMPLE_RATE, Pictures, Sound, Times, pictures, sound
from tests.support.hls import read_playlist

_NO_SOUND = Sound(NO_SAMPLES, np.zeros(0), np.zeros(0, np.int64), bounded=False)


@dataclass(frozen=True)
class View:
    """One way to watch the result, `mp4 480p` say: pictures with times from 0 on, sound, where fragments join.

    `seconds` is the length that it has: the MP4's last picture or sound, the playlist's sum. `further` are the sounds
    of the other tracks.
    """

    name: str
    pictures: Pictures
    heard: Sound
    joins: tuple[float, ...]
    seconds: float
    further: tuple[Sound, ...] = ()

    @property
    def rate(self) -> float:
        """Pictures a second."""
        times = self.pictures.times
        return (len(times) - 1) / float(times[-1] - times[0]) if len(times) > 1 else 1.0


def view_mp4(path: Path, name: str, joins: tuple[float, ...] = (), further: int = 0) -> View:
    """Return what an MP4 shows, and so many further tracks."""
    seen, heard = pictures(path), sound(path)
    untold = seen.bounded or heard.bounded or len(seen) <= 1
    seconds = _declared(path) if untold else max(_end(seen), _heard_end(heard))
    return View(name, seen, heard, joins, seconds, tuple(sound(path, f"a:{n}") for n in range(1, further + 1)))


def view_hls(playlist: Path, audio: Sequence[Path], name: str) -> View:
    """Return what a player makes of a rung's playlist, and of those of the tracks of sound beside it."""
    fetched = read_playlist(playlist)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "fetched.mp4"
        path.write_bytes(fetched.whole)
        seen = pictures(path)
        sounds = list[Sound]()
        for track in audio:
            path.write_bytes(read_playlist(track).whole)
            sounds.append(sound(path))
    times = np.array(boxes.shown_times(fetched.whole))
    count = min(len(times), len(seen))
    lengths = [float(fragment.seconds) for fragment in fetched.fragments]
    seen = replace(
        seen, small=seen.small[:count], times=times[:count], sizes=seen.sizes[:count], shapes=seen.shapes[:count]
    )
    heard, *further = sounds or [_NO_SOUND]
    return View(name, seen, heard, tuple(np.cumsum(lengths)[:-1].tolist()), sum(lengths), tuple(further))


def views(folder: Path, rungs: tuple[str, ...]) -> list[View]:
    """Return all ways to watch what lies in a job's folder; the playlists first, as they tell where fragments join."""
    audio = [folder / f"hls/{sound_name(number)}/index.m3u8" for number in range(MOST_SOUNDS)]
    audio = [track for track in audio if track.exists()]
    found = list[View]()
    for rung in rungs:
        played = view_hls(folder / f"hls/{rung}/index.m3u8", audio, f"hls {rung}")
        found += [view_mp4(folder / f"{rung}.mp4", f"mp4 {rung}", played.joins, len(played.further)), played]
    return found


def _declared(path: Path) -> float:
    """Return the length that the file tells: for those that are too long to be decoded, and for one picture."""
    asked = ["ffprobe", "-v", "error", "-show_entries", "format=duration", "-of", "csv=p=0", str(path)]
    return float(subprocess.run(asked, check=True, capture_output=True, timeout=60).stdout)


def _end(seen: Pictures) -> float:
    times: Times = seen.times
    if not len(times):
        return 0.0
    return float(times.max()) + (float(np.median(np.diff(times))) if len(times) > 1 else 0.0)


def _heard_end(heard: Sound) -> float:
    return float(heard.times[-1] + heard.counts[-1] / SAMPLE_RATE) if len(heard) else 0.0
