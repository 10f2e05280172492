"""Random combinations of traits, and simpler ones. Pure: a seed always gives the same clip."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from fractions import Fraction
from random import Random

from tests.traits.containers import CONTAINERS, Can
from tests.traits.fitting import fits
from tests.traits.traits import LANGUAGES, WRAP_SECONDS, Traits

MOST_FRAMES = 420  # of a clip: four seconds of the fastest rate fit nearly, and no clip costs more than a second
LOOKED_AT_SECONDS = 5  # of a stream by ffmpeg, before it says what is in it
SHARE_WITH_TRACKS = 0.4  # of the clips that can have them: each further sound is decoded twice

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
    return _with_tracks(traits, Random(f"tracks of {seed}"))


def _with_tracks(traits: Traits, random: Random) -> Traits:
    """Return the clip with further tracks, or as it is. By chance of its own: what a seed was, it is besides."""
    languages = tuple(random.sample(LANGUAGES, random.choice((2, 2, 3))))
    lag = random.choice((0.0, 0.0, 0.4, -0.4, 1.0))
    texts = tuple(random.choices(traits.kind.texts or ("",), k=random.choice((1, 2))))
    chapters = random.choice((1, 2, 3))
    for more in ({"languages": languages, "lag": lag}, {"texts": texts}, {"chapters": chapters}):
        tried = replace(traits, **more)
        traits = tried if random.random() < SHARE_WITH_TRACKS and fits(tried) else traits
    return traits


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
