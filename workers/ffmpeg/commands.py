"""Every ffmpeg command of the pipeline as a pure function of the plan; tests compare the whole argument list.

Those of sound are in workers.ffmpeg.audio_commands.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ffmpeg

from storage.model.languages import three_letters
from storage.model.plan import Plan, Rung, Segment, VideoSource
from workers.ffmpeg.filters import rung_streams
from workers.planning.picture_changes import LOSING_DECODERS
from workers.sandbox.allowed_inputs import as_input, input_options, looking_options

MIN_TIMESCALE = 10_000  # ticks a second: fine enough that players never round a frame away
# ffmpeg's own decoders of VP8 and VP9 pass over the transparency that WebM keeps beside the picture.
ALPHA_DECODERS = {"vp8": "libvpx", "vp9": "libvpx-vp9"}
# Decoders whose threads race: of 48 runs over one Theora file with two or four threads six gave other pictures, of 24
# with one thread none (ffmpeg 5.1.9).
RACING_DECODERS = frozenset({"theora", "vp3"})
# stitchable: headers independent of content, so that every segment fits the same init section. aq-mode 2: +0.3 to +0.9
# VMAF for about the same bits. sync-lookahead 0: with several threads a lookahead in another one gave other bytes in 26
# of 240 runs, 0 without it (docs/encoding-why.md).
X264_PARAMS = "stitchable=1:aq-mode=2:sync-lookahead=0"
# The segment that playback waits for is a second long. Without lookahead and with the simplest search, at a CRF that
# gives the same quality again, it takes 1.2 to 1.4 s where it took 2.0 to 2.2, for 6 to 27 % more bits of that second
# (docs/encoding-why.md). Slower presets have other headers then, and would no longer fit the init section of the rest.
OPENING_PARAMS = ":subme=1:me=dia:rc-lookahead=0:mbtree=0:analyse=i4x4,i8x8"
OPENING_CRF = 2
OPENING_PRESETS = frozenset({"veryfast", "faster"})
B_FRAMES = 3  # the same in all rungs, or fragments would not line up: the B-frame delay is part of every timestamp

_GLOBAL = (
    "-hide_banner",
    "-nostdin",  # a tool that reads the terminal can stop for ever
    "-y",  # an attempt that starts over in its scratch folder replaces its own files
    "-nostats",
    "-loglevel", "warning",
    "-progress", "pipe:1",
    "-stats_period", "0.5",
    "-max_error_rate", "1",  # damaged sources give what can be decoded; the frame count decides, not the tool
    "-filter_complex_threads", "1",  # scaling in threads costs more CPU than it saves beside busy slots
)  # fmt: skip


def timescale(plan: Plan) -> int:
    """Return ticks per second such that a frame is a whole number of ticks, also for the /1001 rates."""
    return plan.rate_num * -(-MIN_TIMESCALE // plan.rate_num)


def frame_ticks(plan: Plan) -> int:
    """Return the length of one frame in ticks of the timescale."""
    return timescale(plan) // plan.rate_num * plan.rate_den


def segment_command(plan: Plan, segment: Segment, url: str, folder: Path, *, crops: bool = False) -> list[str]:
    """Return the command that decodes the segment once and writes `<rung>.mp4` (fragmented) for each rung.

    `crops` is what `workers.sandbox.ffmpeg_features.crops_by_itself` says.
    """
    source = ffmpeg.input(as_input(url), **_decoding(plan, segment, url, crops=crops))
    outputs = [
        ffmpeg.output(stream, str(folder / f"{rung.name}.mp4"), **_encoding(plan, segment, rung))
        for rung, stream in rung_streams(source, plan, segment)
    ]
    return compiled(outputs)


@dataclass(frozen=True, slots=True)
class PackedSound:
    """A track of sound as an MP4 has it: its fragments joined, and what a player is told of it; empty for nothing.

    `language` is a BCP 47 tag, `role` one of ROLES.
    """

    path: Path
    language: str = ""
    title: str = ""
    role: str = ""


def package_command(video: Path, sounds: Sequence[PackedSound], target: Path, *, seconds: float) -> list[str]:
    """Return the command that joins a rung's fragments and its sounds into one MP4, index first, nothing re-encoded.

    Sound is cut after `seconds`, the length of the pictures there are: a damaged file may have fewer than planned.
    """
    streams = [ffmpeg.input(as_input(str(video)), **input_options(str(video)))["v:0"]]
    for sound in sounds:
        source = ffmpeg.input(as_input(str(sound.path)), **input_options(str(sound.path)), t=f"{seconds:.6f}")
        streams.append(source["a:0"])
    options: dict[str, Any] = {
        "c": "copy",
        "map_metadata": -1,
        **_told(sounds),
        "map_chapters": -1,
        "movflags": "+faststart",  # the index stands first, so playback begins before the download ends
        "fflags": "+bitexact",
        "f": "mp4",
    }
    return compiled([ffmpeg.output(*streams, str(target), **options)])


def _told(sounds: Sequence[PackedSound]) -> dict[str, Any]:
    """Return the options that tell what the tracks of sound are; of several, players begin with the first."""
    options: dict[str, Any] = {}
    for number, sound in enumerate(sounds):
        if sound.language:
            options[f"metadata:s:a:{number}"] = f"language={three_letters(sound.language)}"
        if sound.title:
            # A key twice in a dictionary of options is once: the stream is named in two ways.
            options[f"metadata:s:{number + 1}"] = f"handler_name={sound.title}"
        if len(sounds) > 1:
            options[f"disposition:a:{number}"] = "default" if number == 0 else sound.role or 0
    return options


def decoder(video: VideoSource) -> dict[str, str]:
    """Return the option of an input that names its decoder where the usual one does not show all of the picture."""
    return {f"c:{video.stream}": ALPHA_DECODERS[video.codec]} if video.alpha and video.codec in ALPHA_DECODERS else {}


def as_coded(video: VideoSource, *, crops: bool) -> dict[str, Any]:
    """Return the options of an input that keep ffmpeg from turning and cropping: the plan says how, and filters do.

    `crops` tells that this ffmpeg would do so: older ones do not know the option.
    """
    # Newer ffmpeg obeys messages in the stream as well, of which the plan's sizes know nothing.
    unturned = {} if video.mirrored is None else {"noautorotate": None}
    # What the codec hides by itself (1080 lines of 1088) stays hidden.
    return {**unturned, **({"apply_cropping": "codec"} if crops else {})}


def keeping_all(video: VideoSource) -> dict[str, str]:
    """Return the option of an input whose decoder would forget pictures where they change."""
    return {"flags": "low_delay"} if video.in_order and video.codec in LOSING_DECODERS else {}


def seeking(plan: Plan, seek: float) -> dict[str, Any]:
    """Return the options of an input whose decoding begins at the keyframe before `seek`, seconds on its own clock."""
    return {
        # Counts from the container's start, with -copyts as well.
        "ss": f"{max(0.0, seek - plan.video.container_start):.6f}",
        "noaccurate_seek": None,  # the filters cut exactly; ffmpeg must not drop pictures before they see them
    }


def compiled(outputs: list[Any]) -> list[str]:
    """Return the command that writes the outputs, with what every command of ours has."""
    stream = outputs[0] if len(outputs) == 1 else ffmpeg.merge_outputs(*outputs)
    arguments: list[str] = ffmpeg.compile(stream)
    return [arguments[0], *_GLOBAL, *arguments[1:]]


def _decoding(plan: Plan, segment: Segment, url: str, *, crops: bool) -> dict[str, Any]:
    return {
        **input_options(url),
        **looking_options(plan.video.look_seconds),
        **decoder(plan.video),
        **as_coded(plan.video, crops=crops),
        **keeping_all(plan.video),
        **({} if segment.seek is None else seeking(plan, segment.seek)),
        "threads": 1 if plan.video.codec in RACING_DECODERS else segment.threads,
        "copyts": None,  # the filters cut by the source's clock
        # A source that changes its picture half-way (broadcasts, calls) would start the graph, and so the count of
        # frames, anew.
        "reinit_filter": 0,
    }


def _encoding(plan: Plan, segment: Segment, rung: Rung) -> dict[str, Any]:
    is_quick = plan.opens_with(segment.index) and plan.preset in OPENING_PRESETS
    return {
        "c:v": "libx264",
        "preset": plan.preset,
        "profile:v": "high",
        "threads": segment.threads,  # belongs to the plan: other thread counts give other bytes
        "crf": rung.crf + OPENING_CRF if is_quick else rung.crf,
        "maxrate": rung.maxrate,
        "bufsize": rung.bufsize,
        "bf": B_FRAMES,
        "g": plan.fragment_frames,
        "force_key_frames": f"expr:not(mod(n,{plan.fragment_frames}))",  # by frames: exact for the /1001 rates too
        "x264-params": X264_PARAMS + OPENING_PARAMS if is_quick else X264_PARAMS,
        # Captions that become tracks are told once: the encoder would copy those of the pictures.
        **({"a53cc": 0} if plan.takes_captions else {}),
        "frames:v": segment.frames,
        "map_metadata": -1,
        "map_chapters": -1,
        "video_track_timescale": timescale(plan),
        "avoid_negative_ts": "disabled",  # times stay on the job's timeline
        "use_editlist": 0,  # fragments are played one after another; an edit list belongs to whole files
        # One fragment per keyframe, index first, times in the boxes exact whatever segment they belong to; no table
        # of fragments at the end, whose places are wrong once segments are joined (docs/design.md#encoding).
        "movflags": "+frag_keyframe+empty_moov+default_base_moof+negative_cts_offsets+frag_discont+skip_trailer",
        "fflags": "+bitexact",
        "f": "mp4",
    }
