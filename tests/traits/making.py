"""Making a clip of its traits, with ffmpeg's own encoders and muxers."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np

from tests.support.boxes_of_mp4 import turned
from tests.support.coded import coded_pictures, coded_sound
from tests.support.odd_containers import plain_pcm
from tests.traits.containers import AUDIO, FINE, INTERLACED, PACKET_SAMPLES, VIDEO
from tests.traits.timeline import (
    BEEPS_OF_A_PART,
    PICTURES_OF_A_PART,
    SAMPLE_RATE,
    Recording,
    halves,
    moved,
    paused_at,
    recording,
    sound_start,
)
from tests.traits.traits import Traits
from tests.traits.words import words_input

_DEADLINE_SECONDS = 120
_ENCODERS_CLOCK_SINCE = 6
_FINE_TICKS = 90_000
SIZES = {"size": (320, 180), "shape": (120, 90), "portrait": (90, 160)}
OTHER = 3  # parts of another programme or mix have the numbers of a part that far


def make(traits: Traits, folder: Path) -> Path:
    """Write the clip into the folder and return it; what it is made of stays beside it."""
    target = folder / f"clip.{traits.kind.suffix}"
    if traits.change:
        return _changed(traits, folder, target)
    if traits.parts > 1:
        return _joined(traits, folder, target)
    if traits.audio == "pcm24":  # as newer writers do, which this ffmpeg is not
        written = target.with_suffix(".mov")
        _encode(traits, recording(traits), written, offset=traits.offset)
        plain_pcm(written, target, bits=24, little=True)
    else:
        _encode(traits, recording(traits), target, offset=traits.offset)
    if traits.turn:
        return turned(target, folder / f"turned.{traits.kind.suffix}", traits.turn)
    if traits.cut < 1:
        cut = folder / f"cut.{traits.kind.suffix}"
        data = target.read_bytes()
        cut.write_bytes(data[: int(len(data) * traits.cut)])
        return cut
    return target


def _joined(traits: Traits, folder: Path, target: Path) -> Path:
    """Append recordings byte by byte, each on a clock that begins anew."""
    data = b""
    for part in range(traits.parts):
        path = folder / f"part_{part}.{traits.kind.suffix}"
        _encode(traits, recording(traits, part), path, offset=traits.offset + max(0.0, part * traits.restart))
        data += path.read_bytes()
    target.write_bytes(data)
    return target


def _changed(traits: Traits, folder: Path, target: Path) -> Path:
    """Encode both halves on one clock, the second with what changes, and put them together."""
    paths = list[Path]()
    for number, made in enumerate(halves(traits)):
        path = folder / f"half_{number}.{traits.kind.suffix}"
        changed = replace(traits, change=traits.change if number else "")
        begin = made.begin
        is_stream = traits.container == "ts"
        _encode(changed, moved(made, -begin), path, offset=traits.offset + begin if is_stream else 0.0)
        paths.append(path)
    if traits.container == "ts":
        target.write_bytes(b"".join(path.read_bytes() for path in paths))
        return target
    listed = folder / "halves.txt"
    lasting = halves(traits)[0].picture_end  # a sound's last packet would move the second half off the grid
    listed.write_text(f"file '{paths[0].name}'\nduration {lasting:.6f}\nfile '{paths[1].name}'\n")
    offset = ["-output_ts_offset", f"{traits.offset:.6f}"] if traits.offset else []
    _run(["-f", "concat", "-i", str(listed), "-c", "copy", *offset, str(target)])
    return target


def _encode(traits: Traits, made: Recording, target: Path, *, offset: float) -> None:
    """Write one recording, its first moment at `offset` of the file's clock."""
    width, height = SIZES.get(traits.change, (traits.width, traits.height))
    late = -min(0.0, made.begin)  # no encoder is asked for a time below 0
    inputs = _picture_input(traits, width, height, "pipe:0")
    output = ["-map", "0:v", *VIDEO[traits.video].split(), *_looks(traits), *_times(traits, late)]
    if made.sound is not None:
        inputs += [*_sound_input(traits, made, target.with_suffix(".raw"), made.sound[0] + late)]
        output += ["-map", "1:a", *_sound_output(traits, made.sound[0] + late)]
    for number, (begin, _) in enumerate(made.further, 1):
        inputs += _sound_input(traits, made.with_track(number), target.with_suffix(f".{number}.raw"), begin + late)
        output += ["-map", f"{number + 1}:a"]
    if traits.two_mixes:
        other = replace(made, first_beep=made.first_beep + OTHER * BEEPS_OF_A_PART)
        begin = late if made.sound is None else made.sound[0] + late
        inputs += _sound_input(traits, other, target.with_suffix(".other.raw"), begin)
        output += ["-map", "2:a", "-metadata:s:a:0", "title=Everything", "-metadata:s:a:1", "title=Mic only"]
    if traits.programmes:
        more, mapped = _programmes(traits, made, target, late)
        inputs, output = [*inputs, *more], [*output, *mapped]
    given, told = words_input(traits, target, late=late, offset=offset, inputs=inputs.count("-i"))
    inputs, output = [*inputs, *given], [*output, *told]
    output += ["-vsync", "passthrough", *traits.kind.options.split()]
    if traits.turn:
        output += ["-movflags", "-faststart"]
    if offset:
        output += ["-output_ts_offset", f"{offset:.6f}"]
    numbers = [number for _, number in made.pictures]
    _run([*inputs, *output, str(target)], coded_pictures(numbers, width, height).tobytes())


def _picture_input(traits: Traits, width: int, height: int, path: str) -> list[str]:
    # Not -framerate, which is guessed anew: 119.88 becomes 120. So an offset of this input would be forgotten.
    return ["-f", "rawvideo", "-pix_fmt", "gray", "-s", f"{width}x{height}", "-r", traits.rate, "-i", path]


def _looks(traits: Traits) -> list[str]:
    """Return the options of key pictures and of what changes in them."""
    options = ["-g", str(max(2, round(traits.exact_rate)))]
    if traits.video != "mjpeg":
        options += ["-pix_fmt", "yuv420p"]
    if traits.change == "fields":
        options += INTERLACED[traits.video].split()
    if traits.change == "aspect":
        options += ["-aspect", "4:3"]
    return options


def _times(traits: Traits, late: float) -> list[str]:
    """Return the options that give the pictures their times, where those are not the rate's from 0 on."""
    rate = traits.exact_rate
    steps = [(paused_at(traits, at), length) for at, length in traits.pauses]
    at, length = traits.jump
    steps += [(round(at * rate), length)] if length else []
    if not steps and not traits.jitter and not late:
        return []
    if traits.video not in FINE:  # whole pictures later
        later = "".join(f"+{round(more * rate)}*gte(N\\,{first})" for first, more in steps)
        moved = f"settb={rate.denominator}/{rate.numerator},setpts={round(late * rate)}+N{later}"
        return ["-vf", moved, *(_lasting(traits, 1) if _filters_see_encoders_clock() else [])]
    jitter = f"{traits.jitter:.6f}*(mod(7*N*N+3*N\\,11)/5-1)"
    paused = "".join(f"+{more:.6f}*gte(N\\,{first})" for first, more in steps)
    seconds = f"({late:.6f}+N*{rate.denominator}/{rate.numerator}+{jitter}{paused})"
    timed = ["-vf", f"settb=1/{_FINE_TICKS},setpts={seconds}/TB", "-enc_time_base:v", f"1:{_FINE_TICKS}"]
    return [*timed, *_lasting(traits, round(_FINE_TICKS / rate))]


def _lasting(traits: Traits, ticks: int) -> list[str]:
    """Return the options that tell how long the last picture lasts: newer ffmpeg forgets it, and MP4 hides it then."""
    is_hidden = traits.kind.suffix in {"mp4", "mov"}
    return ["-bsf:v", f"setts=pts=PTS:dts=DTS:duration={ticks}"] if is_hidden else []


def _sound_input(traits: Traits, made: Recording, path: Path, at: float) -> list[str]:
    assert made.sound is not None
    seconds = (made.sound[1] - made.sound[0]) / (1 + traits.drift)
    coded_sound(seconds, SAMPLE_RATE, first=made.first_beep).astype(np.float32).tofile(path)
    return ["-itsoffset", f"{at:.6f}", "-f", "f32le", "-ar", str(SAMPLE_RATE), "-ac", "1", "-i", str(path)]


def _sound_output(traits: Traits, at: float) -> list[str]:
    options = AUDIO[traits.audio].split()
    if traits.change == "channels":
        options += ["-ac", "2"]
    if traits.change == "sound_rate":
        options += ["-ar", "44100"]
    filters = list[str]()
    for begin, length in traits.holes:
        packets = SAMPLE_RATE / PACKET_SAMPLES[traits.audio]
        first, last = round(begin * packets), round((begin + length) * packets)
        filters.append(f"noise=drop=gte(n\\,{first})*lt(n\\,{last})")  # its packets' times are not to be had
    ticks = SAMPLE_RATE if _filters_see_encoders_clock() else traits.kind.sound_ticks
    if traits.drift:
        begin = round(at * ticks)
        filters.append(f"setts=ts={begin}+(TS-{begin})*{1 + traits.drift}")
    if traits.jump[1]:
        # Where the pictures jump.
        jump = round(traits.jump[0] * traits.exact_rate) / traits.exact_rate + max(0.0, -sound_start(traits))
        filters.append(f"setts=ts=TS+{round(traits.jump[1] * ticks)}*gte(TS\\,{round(jump * ticks)})")
    return [*options, *(["-bsf:a", ",".join(filters)] if filters else [])]


@cache
def _filters_see_encoders_clock() -> bool:
    """Tell whether times in `setts` are in the encoder's ticks, as its TB is: older ffmpeg has the muxer's there."""
    said = subprocess.run(["ffmpeg", "-version"], check=True, capture_output=True, text=True, timeout=_DEADLINE_SECONDS)
    return int(said.stdout.split()[2].partition(".")[0]) >= _ENCODERS_CLOCK_SINCE


def _programmes(traits: Traits, made: Recording, target: Path, late: float) -> tuple[list[str], list[str]]:
    """Return inputs and options of another programme: of radio ahead of the television's, or of more television."""
    other = replace(made, first_beep=made.first_beep + OTHER * BEEPS_OF_A_PART)
    sound = _sound_input(traits, other, target.with_suffix(".other.raw"), late) if made.sound is not None else []
    if traits.programmes == "radio":
        own = ":st=0" + (":st=1" if made.sound is not None else "")
        if not sound:
            return [], ["-program", f"title=television{own}"]
        programmes = ["-program", "title=radio:program_num=1:st=2", "-program", f"title=television:program_num=2{own}"]
        return sound, ["-map", "2:a", *programmes]
    numbers = (number + OTHER * PICTURES_OF_A_PART for _, number in made.pictures)
    raw = target.with_suffix(".other.gray")
    raw.write_bytes(coded_pictures(numbers, traits.width, traits.height).tobytes())
    pictures = _picture_input(traits, traits.width, traits.height, str(raw))
    if not sound:
        return pictures, ["-map", "1:v", "-program", "title=one:st=0", "-program", "title=two:st=1"]
    programmes = ["-program", "title=one:program_num=1:st=0:st=1", "-program", "title=two:program_num=2:st=2:st=3"]
    return [*pictures, *sound], ["-map", "2:v", "-map", "3:a", *programmes]


def _run(arguments: list[str], given: bytes = b"") -> None:
    command = ["ffmpeg", "-v", "error", "-y", *arguments]
    done = subprocess.run(command, input=given, check=False, capture_output=True, timeout=_DEADLINE_SECONDS)
    if done.returncode != 0:
        raise MakingError(f"{' '.join(command)}\n{done.stderr.decode(errors='replace')}")


class MakingError(Exception):
    """ffmpeg could not make the clip: that says nothing about the product."""
