"""WebVTT as text: chapters, and subtitles whole or in the segments of a stream. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction

from storage.captions.cues import Cue
from storage.model.timed_text import Chapter
from storage.subtitle_errors import SubtitleTooLargeError

VTT = "text/vtt"
CHAPTERS = "chapters.vtt"  # its name among what was made
# Of a stream's segment. Cues that reach over a border stand on both sides of it; a player asks for sixty an hour.
SEGMENT_SECONDS = 60
# Of a track: live captions of twelve hours take 3 MB, a film 150 kB. Each cue is in six segments at most.
LONGEST_BYTES = 4 * 1024**2
_MILLI = 1000  # WebVTT counts in milliseconds
_ESCAPED = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
# The clock of our fragments begins at 0, as that of the cues does (RFC 8216bis, section 3.1.4).
_HEAD = "WEBVTT"
_ON_CLOCK = f"{_HEAD}\nX-TIMESTAMP-MAP=MPEGTS:0,LOCAL:00:00:00.000"


def stamp(seconds: Fraction | float) -> str:
    """Return a time as WebVTT has it."""
    return _stamp(round(seconds * _MILLI))


def webvtt(blocks: Iterable[str], head: str = _HEAD) -> str:
    """Return a file of these blocks; each holds no empty line."""
    return "\n\n".join([head, *blocks]) + "\n"


def block(start: Fraction | float, end: Fraction | float, text: str) -> str:
    """Return a cue; its text is WebVTT already and holds no empty line."""
    return f"{stamp(start)} --> {stamp(end)}\n{text}"


def escaped(text: str) -> str:
    """Return the text such that no reader of WebVTT takes any of it for markup."""
    return text.translate(_ESCAPED)


def chapters_vtt(chapters: Iterable[Chapter]) -> str:
    """Return the chapters as players read them; one without a title has its number."""
    numbered = enumerate(chapters, 1)
    return webvtt(block(one.start, one.end, escaped(one.title) or str(number)) for number, one in numbered)


def subtitles_vtt(cues: Iterable[Cue]) -> bytes:
    """Return a whole track. Raises SubtitleTooLargeError for more than LONGEST_BYTES."""
    whole = webvtt(map(_cue, cues)).encode()
    if len(whole) > LONGEST_BYTES:
        raise SubtitleTooLargeError
    return whole


def subtitle_segments(cues: Sequence[Cue], duration: float) -> Iterator[bytes]:
    """Yield the segments of a track on a timeline of `duration` seconds; `cues` are sorted by their start.

    Each holds the cues that are shown in it, all of them with their whole times.
    """
    count, at = segment_count(duration), 0
    shown: list[Cue] = []
    for index in range(count):
        begin, end = (edge * SEGMENT_SECONDS * _MILLI for edge in (index, index + 1))
        shown = [cue for cue in shown if cue.end > begin]
        while at < len(cues) and cues[at].start < end:
            shown.append(cues[at])
            at += 1
        yield webvtt(map(_cue, shown), _ON_CLOCK).encode()


def as_segment(whole: bytes) -> bytes:
    """Return a whole track of ours as the one segment of a stream."""
    return _ON_CLOCK.encode() + whole.removeprefix(_HEAD.encode())


def segment_count(duration: float) -> int:
    """Return how many segments a timeline of so many seconds has, one at least."""
    return max(1, -(-round(duration * _MILLI) // (SEGMENT_SECONDS * _MILLI)))


def _cue(cue: Cue) -> str:
    place = " line:0" if cue.top else ""
    return f"{_stamp(cue.start)} --> {_stamp(cue.end)}{place}\n{cue.text}"


def _stamp(milliseconds: int) -> str:
    whole, rest = divmod(milliseconds, _MILLI)
    return f"{whole // 3600:02d}:{whole // 60 % 60:02d}:{whole % 60:02d}.{rest:03d}"
