"""ffmpeg's commands that encode a job's sounds, or only list when they are heard: pure functions of the plan."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import ffmpeg

from storage.model.damage import HOLE_SECONDS
from storage.model.plan import SURROUND_CHANNELS, AudioSource, Plan
from workers.ffmpeg.audio_filters import in_surround, in_two_channels
from workers.ffmpeg.commands import compiled
from workers.ffmpeg.filters import on_steady_clock
from workers.ffmpeg.loudness_meter import metered
from workers.sandbox.allowed_inputs import as_input, input_options, looking_options

AUDIO_PART_MICROSECONDS = 4_000_000  # one part of sound about as long as a fragment of pictures
SAMPLE_RATE = 48_000  # Hz; what every player and AAC decoder takes
# Sound whose samples and times drift apart is stretched by up to so many samples a second, 2 %: capture cards drift by
# up to 1 %. Times that are rounded are no drift, and more than HOLE_SECONDS is a hole, which becomes silence.
# With these figures sound that is 1 % slow is nowhere more than 45 ms off.
STRETCHED_SAMPLES = 960
LEAST_STRETCHED_SECONDS = 0.025
STRETCHING_SECONDS = 0.5
# Where recordings are joined the gap between their sounds is none of jitter. Sound that is 1 % slow lags by 0.045.
JOINED_HOLE_SECONDS = 0.06

_ENCODED_AS = "fltp"  # the form of samples that the encoder of AAC takes
_MADE_UP = "lavfi"  # an input of ffmpeg's own, that reads nothing
_LAYOUTS = {1: "mono", 2: "stereo", SURROUND_CHANNELS: "5.1"}

# How ffmpeg-python names what one filter hands to the next, and to an output.
_PADS = re.compile(r"\[(s\d+)\]")


@dataclass(frozen=True, slots=True)
class SoundFiles:
    """A track of sound and the files that are made of it: the encoded `target`, and when it was `heard`.

    `surround` is its version in 5.1, None for a track that has none. Both are made louder, by so many decibels. What
    their loudness is before that stands in the file that `meter_of` names.
    """

    audio: AudioSource
    target: Path
    heard: Path
    surround: Path | None = None
    gain: float = 0.0
    surround_gain: float = 0.0


def audio_command(plan: Plan, sounds: Sequence[SoundFiles], url: str) -> list[str]:
    """Return the command that encodes tracks of the job's sound once, laid exactly beside the picture's timeline.

    The times of what was decoded go to `heard`, one line each: that file has none where nothing can be decoded, while
    the target is then filled with silence, as it is in holes.
    """
    return _command_of([_sound_command(plan, sound, url, _encoded) for sound in sounds])


def measuring_command(plan: Plan, sounds: Sequence[SoundFiles], url: str) -> list[str]:
    """Return the command that only measures the loudness of what `audio_command` would encode, and when it is heard."""
    return _command_of([_sound_command(plan, sound, url, _measured) for sound in sounds])


def meter_of(target: Path) -> Path:
    """Return the file in which the loudness stands of what is encoded to the target."""
    return target.with_suffix(".loudness")


def _command_of(commands: Sequence[list[str]]) -> list[str]:
    first, *further = commands
    # Each has a graph of its own. One of all would wait for the first samples of each, and hold those of the others.
    return [*first, *(argument for n, command in enumerate(further, 1) for argument in _behind_input(command, n))]


def _behind_input(command: list[str], number: int) -> list[str]:
    """Return what a command does with its input, its pads named otherwise than those of the other commands."""
    rest = command[command.index("-i") + 2 :]
    named = {place + 1 for place, option in enumerate(rest) if option in {"-filter_complex", "-map"}}
    return [_PADS.sub(rf"[a{number}\1]", part) if place in named else part for place, part in enumerate(rest)]


def _sound_command(
    plan: Plan, sound: SoundFiles, url: str, made: Callable[[Any, Plan, _Version], list[Any]]
) -> list[str]:
    audio = sound.audio
    source = _sound_input(audio, url)
    streams = [audio.stream] if audio.right is None else [audio.stream, audio.right]
    tracks = [on_steady_clock(source[str(stream)], audio.pieces, sound=True) for stream in streams]
    parts = tracks[0].filter_multi_output("asplit", 2)
    placed = [_beside_picture(track, plan, audio) for track in (parts[0], *tracks[1:])]
    outputs = list[Any]()
    if sound.surround is not None:
        (whole,) = placed
        # With its layout stated: what one version wants would otherwise be done ahead of the split, to both.
        versions = whole.filter("aformat", channel_layouts=audio.layout).filter_multi_output("asplit", 2)
        placed = [versions[0]]
        wide = in_surround(versions[1], audio)
        version = _Version(sound.surround, audio.surround_bitrate, SURROUND_CHANNELS, sound.surround_gain)
        outputs = made(wide, plan, version)
    version = _Version(sound.target, audio.bitrate, audio.channels, sound.gain)
    stereo = made(in_two_channels(placed, audio), plan, version)
    return compiled([*stereo, *outputs, _listed(parts[1], sound.heard)])


class _Version(NamedTuple):
    """One file that is made of a track: `bitrate` in bits/s, `gain` in decibels."""

    target: Path
    bitrate: int
    channels: int
    gain: float


def _measured(sound: Any, plan: Plan, version: _Version) -> list[Any]:  # noqa: ARG001 - its length is not heard
    return [ffmpeg.output(metered(sound, meter_of(version.target)), "-", f="null")]


def _encoded(sound: Any, plan: Plan, version: _Version) -> list[Any]:
    """Return the output of a sound, filled with silence to the end of the picture, and that of its meter."""
    # In the form that the encoder takes: what the meter wants would otherwise be done ahead of the split, to both. And
    # beside the encoder, as the meter loses a tenth of a second where ffmpeg begins its filters anew.
    parts = sound.filter("aformat", sample_fmts=_ENCODED_AS).filter_multi_output("asplit", 2)
    louder = parts[0]
    if version.gain:
        louder = louder.filter("volume", f"{version.gain:.2f}dB")
    filled = louder.filter("apad").filter("atrim", end=f"{plan.duration:.6f}")
    return [ffmpeg.output(filled, str(version.target), **_encoding(version)), *_measured(parts[1], plan, version)]


def _encoding(version: _Version) -> dict[str, Any]:
    return {
        "c:a": "aac",
        "b:a": version.bitrate,
        "ac": version.channels,
        # Packets that begin before the last one's end. First the encoder's run-in: without it the first packet is the
        # first moment of the picture, in every player and without edit lists, which players of fragments treat
        # differently. And where a broadcast goes from 5.1 to stereo, ffmpeg begins its filters, and so our silence from
        # the beginning on, anew.
        "bsf:a": "noise=drop=lt(pts\\,ld(0))+0*st(0\\,max(ld(0)\\,pts+d))",
        "map_metadata": -1,  # places and names in tags are nobody's business
        "map_chapters": -1,  # they would come as a track of text
        "frag_duration": AUDIO_PART_MICROSECONDS,
        "use_editlist": 0,
        "avoid_negative_ts": "disabled",  # times stay on the job's timeline
        "movflags": "+empty_moov+default_base_moof+frag_discont",
        "flush_packets": 1,  # parts are published while the next ones are made
        "fflags": "+bitexact",  # the same bytes from every attempt
        "f": "mp4",
    }


def silence_command(sounds: Sequence[SoundFiles], seconds: Sequence[int]) -> list[str]:
    """Return the command that encodes so many seconds of silence for each track, as `audio_command` encodes sound."""
    wanted = dict[int, list[tuple[_Version, int]]]()
    for sound, length in zip(sounds, seconds, strict=True):
        stereo = _Version(sound.target, sound.audio.bitrate, sound.audio.channels, 0.0)
        wanted.setdefault(stereo.channels, []).append((stereo, length))
        if sound.surround is not None:
            wide = _Version(sound.surround, sound.audio.surround_bitrate, SURROUND_CHANNELS, 0.0)
            wanted.setdefault(wide.channels, []).append((wide, length))
    return compiled([output for channels, versions in wanted.items() for output in _silent(channels, versions)])


def _silent(channels: int, versions: Sequence[tuple[_Version, int]]) -> Iterator[Any]:
    """Yield the outputs of versions with so many channels, and of so many seconds."""
    layout = _LAYOUTS[channels]
    options = {**input_options(layout), "format_whitelist": _MADE_UP, "f": _MADE_UP}
    silence = ffmpeg.input(f"anullsrc=sample_rate={SAMPLE_RATE}:channel_layout={layout}", **options)
    parts = silence.filter("aformat", sample_fmts=_ENCODED_AS).filter_multi_output("asplit", len(versions))
    for number, (version, seconds) in enumerate(versions):
        yield ffmpeg.output(parts[number], str(version.target), t=seconds, **_encoding(version))


def heard_command(audio: AudioSource, url: str, heard: Path) -> list[str]:
    """Return the command that only lists the times of what can be decoded of the sound, as `audio_command` does."""
    return compiled(
        [_listed(on_steady_clock(_sound_input(audio, url)[str(audio.stream)], audio.pieces, sound=True), heard)]
    )


def _sound_input(audio: AudioSource, url: str) -> Any:
    return ffmpeg.input(as_input(url), **input_options(url), **looking_options(audio.look_seconds), copyts=None)


def _listed(track: Any, heard: Path) -> Any:
    # The samples do not matter, only when they begin and how many there are.
    return ffmpeg.output(track, str(heard), **{"c:a": "pcm_u8", "f": "framecrc"})


def _beside_picture(track: Any, plan: Plan, audio: AudioSource) -> Any:
    """Return a track of sound on the picture's timeline, from its first moment on."""
    return (
        track.filter("asetpts", f"PTS-{plan.video.start_time:.6f}/TB")
        .filter(
            "aresample",
            SAMPLE_RATE,
            **{"async": STRETCHED_SAMPLES},  # a clock of sound that is slow or fast is followed
            min_comp=LEAST_STRETCHED_SECONDS,
            comp_duration=STRETCHING_SECONDS,
            min_hard_comp=JOINED_HOLE_SECONDS if audio.pieces else HOLE_SECONDS,
        )
        # To the sample: silence where the sound begins later than the timeline, cut where it begins before.
        .filter("aresample", first_pts=0, **{"async": 1})
    )
