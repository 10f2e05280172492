"""Comparing all views of a result with the source: length, pictures, sound, shape, orientation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tests.files.decoding import MOST_SECONDS, NO_SAMPLES, Pictures, Sound, pictures, sound
from tests.files.hearing import Heard, hear
from tests.files.lines import line
from tests.files.listing import Listing, listing
from tests.files.recording import PAUSE_SECONDS, Recording, pauses, recording
from tests.files.results import View
from tests.files.seeing import TURNS, Atlas, Eye, Seen
from tests.files.shaping import rate_fault, shape_faults

RUN_IN_SECONDS = 0.050  # an encoder's sound begins so much before the picture and is not meant to be heard
BEHIND_SECONDS = 0.100  # and ends so much later
JOIN_SECONDS = 0.1  # where one part ends and the next begins is a matter of the last picture's length
GRID_SECONDS = 0.010
NO_SOUND = Sound(NO_SAMPLES, np.zeros(0), np.zeros(0, np.int64), bounded=False)
LITTLE = 0.9  # usual correlation of small pictures: 0.96 and more was seen, tones mapped and heavily coded as well
PAIR = "a pair"
_MOST_SHOWN = 4  # places of a fault that are named


@dataclass(frozen=True)
class Unlike:
    """One way in which a view differs: how, and what (length, picture, sound, tracks, shape, orientation, rate)."""

    what: str
    view: str
    how: str


@dataclass(frozen=True)
class Source:
    """A file as ffmpeg alone decodes it, once: its pictures, and the sound of each track by stream."""

    listed: Listing
    pictures: Pictures
    sounds: dict[int, Sound]

    @property
    def decodes(self) -> bool:
        """Tell whether ffmpeg makes a video of it without trouble: nearly all packets, and few complaints."""
        packets = len(self.listed.of(self.listed.video))
        whole = self.pictures.bounded or len(self.pictures) >= 0.9 * packets
        return len(self.pictures) > 1 and whole and self.pictures.complaints <= 0.05 * len(self.pictures)

    def tracks(self) -> list[tuple[str, int | None, Sound]]:
        """Return what may be heard, the first choice first: a track, or two that are the ears of one pair."""
        found: list[tuple[str, int | None, Sound]] = [
            (f"track {stream}", stream, one) for stream, one in self.sounds.items() if len(one)
        ]
        if len(found) > 1 and not self.listed.titled:
            found.insert(1, (PAIR, found[0][1], _paired(found[0][2], found[1][2])))
        return found or [("none", None, NO_SOUND)]


@dataclass(frozen=True)
class Comparison:
    """What was compared and what is unlike; figures are the sums over all views, the worst of each."""

    unlike: tuple[Unlike, ...] = ()
    wanted: float = 0.0
    got: float | None = None
    seen: int = 0
    seen_wrong: int = 0
    worst: float = 0.0
    likeness: float = 1.0
    heard: int = 0
    heard_wrong: int = 0
    lag: float = 0.0
    shape: str = ""
    notes: tuple[str, ...] = ()


def read_source(path: Path) -> Source:
    """Decode the file; nothing is in it where ffmpeg makes nothing of it."""
    listed = listing(path)
    seen = pictures(path, listed.video if listed.video is not None else "v:0")
    sounds = {stream: sound(path, stream) for stream in listed.audio} if len(seen) else {}
    return Source(listed, seen, sounds)


def compare(source: Source, views: Sequence[View], warned: Sequence[str] = ()) -> Comparison:
    """Compare; `warned` are the codes of warnings. Where more is right than one thing, the best counts."""
    best = None
    name, stream, heard = source.tracks()[0]
    joinings = (False, True) if "clock_jumps" in warned else (False,)
    for join in joinings:
        laid = recording(source.pictures, heard, source.listed, stream, join=join)
        if join and not any(pause > PAUSE_SECONDS for pause in pauses(laid.parts)):
            continue
        found = _compared(source, laid, views, (name, stream), join=join)
        if best is None or len(found.unlike) < len(best.unlike):
            best = found
        if not best.unlike:
            break
    assert best is not None
    return best


def _compared(
    source: Source, laid: Recording, views: Sequence[View], first: tuple[str, int | None], *, join: bool
) -> Comparison:
    """Compare all views with the source as it is laid out, with the track that fits."""
    atlas = Atlas(laid, float(views[0].pictures.shapes[0]))
    eyes = [Eye(laid, view, atlas) for view in views]
    deltas, _ = _tuned(laid, eyes[0])
    name, own = first
    for other, stream, heard in source.tracks():
        tried = recording(source.pictures, heard, source.listed, stream, join=join)
        if not hear(tried.sound(deltas, _bound(tried, views[0])), _heard(tried, views[0])).wrong:
            name, own, laid = other, stream, tried
            break
    # The first default one is ahead of all others, which are in the file's order.
    others = (
        [] if name == PAIR else sorted(stream for stream, one in source.sounds.items() if len(one) and stream != own)
    )
    further = [recording(source.pictures, source.sounds[one], source.listed, one, join=join) for one in others]
    total = Comparison(wanted=laid.shortest, notes=_notes(laid, name if name != first[0] else "", deltas))
    for number, (view, eye) in enumerate(zip(views, eyes, strict=True)):
        total = _with_view(total, laid, view, eye.look(deltas), deltas, top=number < 2)
        told = _further(view, further, deltas, mono=source.listed.mono)
        total = replace(total, unlike=(*total.unlike, *told))
    return total


def _further(view: View, laid: Sequence[Recording], deltas: Sequence[float], *, mono: bool) -> list[Unlike]:
    """Return what is unlike in the tracks besides the first; of channels that are tracks some may be left out."""
    unlike = []
    if len(view.further) != len(laid) and not mono:
        unlike.append(Unlike("tracks", view.name, f"{1 + len(view.further)} of sound for {1 + len(laid)}"))
    for number, (wanted, got) in enumerate(zip(laid, view.further, strict=False), 1):
        bound = _bound(wanted, view)
        heard = hear(wanted.sound(deltas, bound), line(got, got.times, bound))
        unlike += _sound(replace(view, name=f"{view.name}, track {number}"), heard)
    return unlike


def _with_view(
    total: Comparison, laid: Recording, view: View, seen: Seen, deltas: Sequence[float], *, top: bool
) -> Comparison:
    wanted = laid.sound(deltas, _bound(laid, view))
    heard = hear(wanted, _heard(laid, view))
    unlike = [*total.unlike, *_length(laid, view), *_picture(view, seen), *_sound(view, heard)]
    unlike += [Unlike("shape", view.name, how) for how in shape_faults(laid, view, top=top)]
    if seen.turn != TURNS[0]:
        unlike.append(Unlike("orientation", view.name, seen.turn))
    if (fault := rate_fault(laid, view)) is not None:
        unlike.append(Unlike("rate", view.name, fault))
    width, height = view.pictures.sizes[0]
    worse = abs(heard.lag) > abs(total.lag) or np.isnan(heard.lag)
    return replace(
        total,
        unlike=tuple(unlike),
        got=max(
            (view.seconds, view.seconds if total.got is None else total.got), key=lambda at: abs(at - laid.shortest)
        ),
        seen=total.seen + seen.compared,
        seen_wrong=total.seen_wrong + len(seen.wrong),
        worst=total.worst if not seen.wrong else max(total.worst, seen.worst, key=lambda off: (np.isnan(off), off)),
        likeness=min(total.likeness, seen.likeness),
        heard=total.heard + heard.compared,
        heard_wrong=total.heard_wrong + len(heard.wrong),
        lag=heard.lag if worse else total.lag,
        shape=total.shape or f"{width}x{height}",
    )


def _tuned(laid: Recording, eye: Eye) -> tuple[tuple[float, ...], Seen]:
    """Return by how much each part of the source is moved so that most pictures are right, within what may be.

    The run-in of sound may count as the beginning or not; where parts join, one may end a picture earlier or later.
    """
    # The result may begin with the first picture, or with the sound just before it.
    first = np.arange(0.0, -min(laid.lead, RUN_IN_SECONDS) - 1e-9, -GRID_SECONDS) if laid.lead > 0 else np.zeros(1)
    if laid.lead > RUN_IN_SECONDS:
        first = np.zeros(1)
    deltas = np.zeros(max(1, len(laid.parts)))
    best = eye.look(deltas.tolist())
    for part in range(len(deltas)):
        grid = first if part == 0 else np.arange(-JOIN_SECONDS, JOIN_SECONDS + 1e-9, GRID_SECONDS)
        for delta in sorted(grid, key=abs):
            if not best.wrong:
                break
            tried = deltas.copy()
            tried[part:] = deltas[part:] + delta
            seen = eye.look(tried.tolist())
            if len(seen.wrong) < len(best.wrong):
                best, deltas = seen, tried
    return tuple(float(delta) for delta in deltas), best


def _heard(laid: Recording, view: View) -> NDArray[np.float32]:
    return line(view.heard, view.heard.times, _bound(laid, view))


def _length(laid: Recording, view: View) -> list[Unlike]:
    frame = max(1 / view.rate, laid.step)
    least = laid.shortest - RUN_IN_SECONDS - BEHIND_SECONDS - frame
    most = laid.longest + BEHIND_SECONDS + frame
    if least <= view.seconds <= most:
        return []
    return [Unlike("length", view.name, f"{view.seconds:.2f} s for {laid.shortest:.2f} s")]


def _picture(view: View, seen: Seen) -> list[Unlike]:
    if not seen.wrong:
        return [Unlike("picture", view.name, f"like {seen.likeness:.2f} only")] if seen.likeness < LITTLE else []
    told = ((time, "like none" if np.isnan(off) else f"{off * 1000:+.0f} ms") for time, off in seen.wrong)
    named = ", ".join(f"at {time:.2f} s {how}" for time, how in islice(told, _MOST_SHOWN))
    return [Unlike("picture", view.name, f"{len(seen.wrong)} of {seen.compared}: {named}")]


def _sound(view: View, heard: Heard) -> list[Unlike]:
    if not heard.wrong:
        return []
    named = ", ".join(f"at {time:.1f} s {how}" for time, how in heard.wrong[:_MOST_SHOWN])
    return [Unlike("sound", view.name, f"{len(heard.wrong)} of {heard.compared}: {named}")]


def _bound(laid: Recording, view: View) -> float:
    """Return how much of the timeline's sound is compared, seconds: a tail that may be missing is not listened to."""
    unlike = bool(_length(laid, view))
    return min(MOST_SECONDS, max(laid.longest, view.seconds) if unlike else max(0.0, view.seconds - BEHIND_SECONDS))


def _notes(laid: Recording, track: str, deltas: Sequence[float]) -> tuple[str, ...]:
    """Return what a reader should know beside the figures."""
    notes = [track] if track else []
    if laid.bounded:
        notes.append(f"only the first {MOST_SECONDS:.0f} s compared")
    if len(laid.parts) > 1:
        notes.append(f"{len(laid.parts)} parts")
    notes += [f"a pause of {pause:.0f} s" for pause in pauses(laid.parts)]
    moved = [delta for delta in deltas if abs(delta) > GRID_SECONDS / 2]
    if moved:
        notes.append("moved by " + ", ".join(f"{delta * 1000:+.0f}" for delta in moved) + " ms")
    return tuple(notes)


def _paired(left: Sound, right: Sound) -> Sound:
    """Return two tracks as the two ears of a pair."""
    count = min(len(left.samples), len(right.samples))
    samples = left.samples.copy()
    samples[:count, 1] = right.samples[:count, 0]
    return replace(left, samples=samples)
