"""The traits that a clip may have, and random combinations of them. Pure: a seed always gives the same clip."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace
from fractions import Fraction
from random import Random

from tests.traits.containers import CONTAINERS, FINE, PACKET_SAMPLES, WITHOUT_TIMES, Can, Container

MOST_FRAMES = 420  # of a clip: four seconds of the fastest rate fit nearly, and no clip costs more than a second
SHORTEST_SOUND = 0.7  # seconds
FEWEST_THAT_JITTER = 34  # pictures: of fewer the share that may be lost is none
MPEG4_TICKS = 65_535  # a second of MPEG-4 video has no more (ISO/IEC 14496-2, 6.3.3); ffmpeg 7.1 makes none with more
FEWEST_OF_A_PART = 6  # pictures: a clock that goes back by fewer steps may be that of reordered pictures
MOST_PART_SECONDS = 28  # beeps of appended recordings have other pitches
LOOKED_AT_SECONDS = 5  # of a stream by ffmpeg, before it says what is in it
FLV_REORDERS = 8388.0  # seconds: its 24 bits of milliseconds between a picture's decoding and its showing
WRAP_SECONDS = 95443.7  # where the 33 bits of a transport stream's clock begin anew


@dataclass(frozen=True)
class Traits:
    """How a clip is made; the defaults are a plain one. Times are in seconds.

    `seconds` of pictures at `rate`, before pauses; sound begins `sound_start` after the first picture and ends
    `sound_end` after the last. `pauses` and `holes` are (time, length) in pictures and sound, `jump` where the clock of
    both goes on so much later. `parts` recordings are appended, each on a clock that begins `restart` later than the
    one before began. `change` is what changes in the middle, `programmes` what else a transport stream holds, `cut` the
    share of bytes that is left, `turn` the matrix's degrees clockwise.
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
        return replace(self, audio="", sound_start=0.0, sound_end=0.0)

    @property
    def told(self) -> str:
        """Return the traits as Python writes them, without those of a plain clip."""
        plain = Traits()
        values = [(known.name, getattr(self, known.name)) for known in fields(self)]
        always = {"container", "video", "audio", "rate", "seconds"}
        shown = (f"{name}={value!r}" for name, value in values if name in always or value != getattr(plain, name))
        return f"Traits({', '.join(shown)})"


RATES = (
    "1", "5", "10", "25/2", "15", "24000/1001", "24", "25", "30000/1001", "30", "48", "50", "60000/1001", "60",
    "100", "120000/1001", "120", "240000/1001", "240",
)  # fmt: skip
MPEG2_RATES = ("24000/1001", "24", "25", "30000/1001", "30", "50", "60000/1001", "60")


def random_traits(seed: int) -> Traits:
    """Return the combination of this seed: a container with codecs that fit, and none to four traits more."""
    random = Random(seed)
    container = random.choice(list(CONTAINERS))
    kind = CONTAINERS[container]
    video = random.choice(kind.videos)
    audio = random.choice(kind.audios) if kind.audios and random.random() < 0.85 else ""
    rates = kind.rates or (MPEG2_RATES if video == "mpeg2" else RATES)
    rate = random.choice(rates) if random.random() < 0.5 else random.choice([one for one in rates if one != "1"][-9:])
    longest = float(MOST_FRAMES / Fraction(rate))
    seconds = min(random.choice((2.0, 3.0, 4.0, 5.0, 8.0, 12.0)), max(1.5, int(longest * 2) / 2))
    traits = Traits(container, video, audio, rate=rate, seconds=seconds)
    if random.random() < 0.2:
        traits = replace(traits, width=320, height=180)
    able = [add for can, add in sorted(ADD.items()) if can in kind.can]
    for add in random.sample(able, min(len(able), random.choice((0, 1, 1, 2, 2, 2, 3, 4)))):
        tried = add(traits, random)
        traits = tried if fits(tried) else traits
    return traits


def fits(traits: Traits) -> bool:
    """Tell whether such a clip can be made and what is right for it can be told."""
    has_sound = bool(traits.audio)
    wants_sound = traits.sound_start or traits.sound_end or traits.holes or traits.two_mixes or traits.drift
    shown = traits.seconds + sum(length for _, length in traits.pauses)
    in_band = {"ts": {"h264", "mpeg2"}, "mkv": {"vp8", "vp9", "mpeg2"}, "webm": {"vp8", "vp9"}}
    alone = [traits.parts > 1, bool(traits.change), bool(traits.programmes), traits.cut < 1, traits.jump[1] > 0]
    return (
        (has_sound or not (wants_sound or traits.jump[1] or traits.restart > 0))
        and (not has_sound or shown + traits.sound_end - traits.sound_start >= SHORTEST_SOUND)
        and sum(alone) <= 1
        and not (traits.change and (traits.pauses or traits.sound_start or traits.sound_end or traits.drift))
        and not (traits.change and traits.video not in in_band.get(traits.container, set()))
        # Matroska says the shape of all of a track in its header, and players go by that.
        and not (traits.change == "aspect" and traits.container != "ts")
        and not (traits.parts > 1 and traits.frames < FEWEST_OF_A_PART)
        and not (traits.jitter and (traits.parts > 1 or traits.jump[1]))  # each part would begin elsewhere in a frame
        and not (traits.parts > 1 and shown + traits.sound_end > MOST_PART_SECONDS)
        # ffmpeg writes wrong times of two tracks whose times are changed on the way.
        and not (traits.two_mixes and (traits.programmes or traits.drift or traits.jump[1]))
        # Each half has the hole for itself, and would begin with sound behind one that goes on.
        and not (traits.change and any(at + lasting > traits.seconds / 2 for at, lasting in traits.holes))
        and not (traits.jitter and traits.video not in FINE)
        and not (traits.drift and traits.container in {"mov", "mp4"} and traits.audio in WITHOUT_TIMES)
        and not (traits.holes and traits.audio not in PACKET_SAMPLES)
        and all(at + lasting < shown + traits.sound_end - traits.sound_start for at, lasting in traits.holes)
        and not (traits.jump[1] and (traits.pauses or traits.holes or traits.drift))
        and not (traits.jump[1] and not _jumps_together(traits))
        and not (
            traits.cut < 1 and (traits.turn or traits.pauses or traits.holes)
        )  # what a gap follows is said to last
        and all(at < traits.seconds - 1 for at, _ in traits.pauses)
        and traits.jitter < float(0.21 / traits.exact_rate)
        and not (traits.jitter and traits.frames < FEWEST_THAT_JITTER)
        and not (traits.video == "mpeg4" and traits.exact_rate.numerator > MPEG4_TICKS)
    )


def _jumps_together(traits: Traits) -> bool:
    """Tell whether there are pictures and sound on both sides of the jump, and a container that can say so."""
    at, length = traits.jump
    is_told = traits.video != "mpeg4" and (
        (traits.container, traits.video) != ("flv", "h264_b") or length < FLV_REORDERS
    )
    fewest = min(at, traits.seconds - at) * traits.exact_rate
    if fewest < FEWEST_OF_A_PART:
        return False
    return is_told and traits.sound_start <= at - 0.5 and traits.seconds + min(0.0, traits.sound_end) >= at + 0.5


def simpler(traits: Traits) -> Iterator[Traits]:
    """Yield the clip with one trait fewer, for each that it has, and in a plainer container."""
    plain = Traits()
    for known in fields(traits):
        value = getattr(plain, known.name)
        if known.name in {"container", "video", "audio"} or getattr(traits, known.name) == value:
            continue
        tried = replace(traits, **{known.name: value})
        if fits(tried) and (tried.rate in (tried.kind.rates or (tried.rate,))):
            yield tried
    if traits.audio and fits(silent := replace(traits, audio="")):
        yield silent


def _offset(traits: Traits, random: Random) -> Traits:
    near_wrap = [WRAP_SECONDS - random.choice((1.0, 2.5))] if Can.WRAP in traits.kind.can else []
    return replace(traits, offset=random.choice([1.4, 4910.0, *near_wrap]))


def _start(traits: Traits, random: Random) -> Traits:
    late = [6.4, 8.0] if traits.seconds >= 10 else []
    return replace(traits, sound_start=random.choice([-3.0, -1.0, -0.4, 0.2, 0.4, 1.0, 2.0, *late]))


def _tail(traits: Traits, random: Random) -> Traits:
    return replace(traits, sound_end=random.choice((-2.0, -1.0, -0.4, 0.3, 1.0, 3.0, 6.0, 9.0)))


def _jitter(traits: Traits, random: Random) -> Traits:
    return replace(traits, jitter=min(random.choice((0.002, 0.005, 0.008)), float(0.2 / traits.exact_rate)))


def _pauses(traits: Traits, random: Random) -> Traits:
    lengths = (2.0, 5.0, 12.0, 61.0, 70.0) if random.random() < 0.5 else (2.0, 3.0)
    at = sorted(random.sample([0.5, 1.0, 1.5, 2.5], random.choice((1, 1, 2))))
    return replace(traits, pauses=tuple((one, random.choice(lengths)) for one in at))


def _holes(traits: Traits, random: Random) -> Traits:
    return replace(traits, holes=((random.choice((0.4, 1.4)), random.choice((0.3, 1.0, 2.5))),))


def _jump(traits: Traits, random: Random) -> Traits:
    return replace(traits, jump=(1.5, random.choice((1000.0, 9000.0))))


def _joined(traits: Traits, random: Random) -> Traits:
    return replace(traits, parts=random.choice((2, 2, 3)), restart=random.choice((0.0, 0.0, -1.0, 2000.0)))


def _change(traits: Traits, random: Random) -> Traits:
    changes = ["size", "shape", "portrait"]
    changes += ["aspect", "fields"] if traits.video in {"h264", "mpeg2"} else []
    changes += (
        ["channels", "sound_rate"] if traits.audio in {"aac", "mp2", "mp3"} and traits.container != "webm" else []
    )
    change = random.choice(changes)
    # AAC in Matroska has its rate in the one header. And where ffmpeg's first look at MPEG audio sees both rates, it
    # tells the second one, and the first packets lie 0.1 s late (a known fault: ffmpeg 5.1 times them by that).
    untold = traits.container == "mkv" if traits.audio == "aac" else traits.seconds < 2 * LOOKED_AT_SECONDS
    change = "channels" if change == "sound_rate" and untold else change
    return replace(traits, change=change, width=160, height=96 if change == "fields" else 90)  # fields: a multiple of 4


def _programmes(traits: Traits, random: Random) -> Traits:
    return replace(traits, programmes=random.choice(("radio", "television")))


def _cut(traits: Traits, random: Random) -> Traits:
    return replace(traits, cut=random.choice((0.4, 0.55, 0.7)))


def _two_mixes(traits: Traits, _: Random) -> Traits:
    return replace(traits, two_mixes=True)


def _drift(traits: Traits, random: Random) -> Traits:
    return replace(traits, drift=random.choice((0.005, -0.005, 0.01, -0.01)), seconds=max(8.0, traits.seconds))


def _turn(traits: Traits, random: Random) -> Traits:
    return replace(traits, turn=random.choice((90, 180, 270)))


ADD: dict[Can, Callable[[Traits, Random], Traits]] = {
    Can.OFFSET: _offset,
    Can.START: _start,
    Can.TAIL: _tail,
    Can.JITTER: _jitter,
    Can.PAUSE: _pauses,
    Can.HOLE: _holes,
    Can.JUMP: _jump,
    Can.JOIN: _joined,
    Can.CHANGE: _change,
    Can.PROGRAMMES: _programmes,
    Can.CUT: _cut,
    Can.MIXES: _two_mixes,
    Can.DRIFT: _drift,
    Can.TURN: _turn,
}
