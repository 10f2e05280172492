"""The traits that a clip may have. Pure."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from fractions import Fraction

from tests.traits.containers import CONTAINERS, Container

LANGUAGES = ("eng", "kor", "fra", "spa")  # ISO 639-2: what every container here can tell
WRAP_SECONDS = 95443.7  # where the 33 bits of a transport stream's clock begin anew


@dataclass(frozen=True)
class Traits:
    """How a clip is made; the defaults are a plain one. Times are in seconds.

    `seconds` of pictures at `rate`, before pauses; sound begins `sound_start` after the first picture and ends
    `sound_end` after the last. `pauses` and `holes` are (time, length) in pictures and sound, `jump` where the clock of
    both goes on so much later. `parts` recordings are appended, each on a clock that begins `restart` later than the
    one before began. `change` is what changes in the middle, `programmes` what else a transport stream holds, `cut` the
    share of bytes that is left, `turn` the matrix's degrees clockwise. `languages` are those of all sounds, if there
    are several: each further one begins `lag` after the one before. `texts` are the codecs of subtitles, and `chapters`
    is how many there are.
    """

    container: str = "mkv"
    video: str = "h264"
    audio: str = "aac"
    width: int = 160
    height: int = 90
    rate: str = "25"
    seconds: float = 4.0
    sound_start: float = 0.0
    sound_end: float = 0.0
    offset: float = 0.0
    jitter: float = 0.0
    pauses: tuple[tuple[float, float], ...] = ()
    holes: tuple[tuple[float, float], ...] = ()
    jump: tuple[float, float] = (0.0, 0.0)
    parts: int = 1
    restart: float = 0.0
    change: str = ""
    programmes: str = ""
    cut: float = 1.0
    two_mixes: bool = False
    drift: float = 0.0
    turn: int = 0
    languages: tuple[str, ...] = ()
    lag: float = 0.0
    texts: tuple[str, ...] = ()
    chapters: int = 0

    @property
    def exact_rate(self) -> Fraction:
        """Pictures per second."""
        return Fraction(self.rate)

    @property
    def frames(self) -> int:
        """Pictures of one recording."""
        return max(1, round(self.seconds * self.exact_rate))

    @property
    def kind(self) -> Container:
        """What the container can do."""
        return CONTAINERS[self.container]

    @property
    def silent(self) -> Traits:
        """The clip without its sound."""
        return replace(self, audio="", sound_start=0.0, sound_end=0.0, languages=(), lag=0.0)

    @property
    def told(self) -> str:
        """Return the traits as Python writes them, without those of a plain clip."""
        plain = Traits()
        values = [(known.name, getattr(self, known.name)) for known in fields(self)]
        always = {"container", "video", "audio", "rate", "seconds"}
        shown = (f"{name}={value!r}" for name, value in values if name in always or value != getattr(plain, name))
        return f"Traits({', '.join(shown)})"
