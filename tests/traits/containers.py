"""Containers: which codecs fit, and which traits they can carry. Options are ffmpeg's."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Can(StrEnum):
    """Kinds of traits."""

    OFFSET = "offset"
    WRAP = "wrap"
    START = "start"
    TAIL = "tail"
    JITTER = "jitter"
    PAUSE = "pause"
    HOLE = "hole"
    JUMP = "jump"
    JOIN = "join"
    CHANGE = "change"
    PROGRAMMES = "programmes"
    CUT = "cut"
    MIXES = "mixes"
    DRIFT = "drift"
    TURN = "turn"


@dataclass(frozen=True)
class Container:
    """A container: its suffix, what fits into it, what it can carry, the muxer's options.

    `ticks` are those of its clock in a second, `sound_ticks` those of its sound's. `tells_length` where a file that was
    cut says how long it should be. `texts` are codecs of subtitles.
    """

    suffix: str
    videos: tuple[str, ...]
    audios: tuple[str, ...]
    can: frozenset[Can]
    ticks: int = 90_000
    sound_ticks: int = 48_000  # its sample rate
    tells_length: bool = False
    options: str = ""
    rates: tuple[str, ...] = ()
    tells_languages: bool = False
    texts: tuple[str, ...] = ()
    chapters: bool = False


_H264 = ("h264", "h264_b", "h264_open")
_TIMES = {Can.OFFSET, Can.START, Can.TAIL, Can.JITTER, Can.PAUSE, Can.HOLE, Can.DRIFT}
_STREAM = frozenset(_TIMES | {Can.WRAP, Can.JUMP, Can.JOIN, Can.CHANGE, Can.PROGRAMMES, Can.CUT})
_FILE = frozenset(_TIMES | {Can.CUT, Can.TURN})

CONTAINERS = {
    "mp4": Container(
        "mp4", (*_H264, "hevc", "mpeg4"), ("aac", "mp3", "ac3", "opus", "pcm24"), _FILE, tells_length=True,
        options="-movflags +faststart", tells_languages=True, texts=("mov_text",), chapters=True,
    ),
    "mov": Container(
        "mov", (*_H264, "mjpeg", "mpeg4"), ("aac", "pcm"), _FILE, tells_length=True, options="-movflags +faststart",
        tells_languages=True, texts=("mov_text",), chapters=True,
    ),
    "fmp4": Container(
        "mp4", _H264, ("aac", "opus"), frozenset(_TIMES | {Can.CUT}),
        options="-movflags +frag_keyframe+delay_moov+default_base_moof", tells_languages=True,
    ),
    "mkv": Container(
        "mkv", (*_H264, "hevc", "mpeg2", "mpeg4", "vp8", "vp9", "mjpeg"),
        ("aac", "mp3", "mp2", "ac3", "opus", "vorbis", "pcm", "flac"),
        frozenset(_TIMES | {Can.JUMP, Can.JOIN, Can.CHANGE, Can.CUT, Can.MIXES}), ticks=1000, sound_ticks=1000,
        tells_length=True, tells_languages=True, texts=("subrip", "ass", "webvtt"), chapters=True,
    ),
    "webm": Container(
        "webm", ("vp8", "vp9"), ("opus", "vorbis"), frozenset(_TIMES | {Can.JUMP, Can.JOIN, Can.CHANGE, Can.CUT}),
        ticks=1000, sound_ticks=1000, tells_length=True, tells_languages=True, texts=("webvtt",), chapters=True,
    ),
    "ts": Container(
        "ts", (*_H264, "hevc", "mpeg2"), ("aac", "mp3", "mp2", "ac3"), _STREAM, sound_ticks=90_000,
        tells_languages=True,
    ),
    "m2ts": Container(
        "m2ts", (*_H264, "mpeg2"), ("ac3", "mp2", "aac"), _STREAM - {Can.JOIN, Can.CHANGE, Can.PROGRAMMES},
        options="-mpegts_m2ts_mode 1", sound_ticks=90_000, tells_languages=True,
    ),
    "mpg": Container(
        "mpg", ("mpeg2",), ("mp2", "ac3"), frozenset({Can.OFFSET, Can.START, Can.TAIL, Can.JOIN, Can.CUT})
    ),
    "flv": Container(
        "flv", ("h264", "h264_b"), ("aac", "mp3"), frozenset(_TIMES | {Can.JUMP, Can.JOIN, Can.CUT}), ticks=1000,
        sound_ticks=1000, tells_length=True,
    ),
    "avi": Container(
        "avi", ("mpeg4", "mjpeg", "h264"), ("mp3", "pcm", "ac3"), frozenset({Can.TAIL, Can.CUT}), tells_length=True,
        # At one a second ffmpeg writes the second picture as the third.
        rates=("5", "10", "15", "24000/1001", "24", "25", "30000/1001", "30", "50", "60000/1001", "60", "100", "120")
    ),
    "ogg": Container("ogg", ("theora", "vp8"), ("vorbis", "opus", "flac"), frozenset({Can.TAIL})),
    "nut": Container("nut", ("h264", "mpeg4"), ("mp3", "pcm", "aac"), frozenset(_TIMES)),
    "3gp": Container("3gp", ("mpeg4", "h264"), ("aac",), frozenset({Can.START, Can.TAIL, Can.TURN})),
    "asf": Container("asf", ("wmv2", "mpeg4"), ("mp3", "wmav2"), frozenset({Can.TAIL, Can.START}), ticks=1000),
    "mxf": Container("mxf", ("mpeg2",), ("pcm",), frozenset(), rates=("24", "25", "30000/1001", "50")),
}  # fmt: skip

VIDEO = {
    "h264": "-c:v libx264 -preset ultrafast -crf 28 -bf 0",
    "h264_b": "-c:v libx264 -preset ultrafast -crf 28 -bf 3 -x264-params b-adapt=0",
    "h264_open": "-c:v libx264 -preset ultrafast -crf 28 -bf 3 -x264-params open-gop=1:b-adapt=0",
    "hevc": "-c:v libx265 -preset ultrafast -x265-params log-level=error:pools=1:frame-threads=1 -tag:v hvc1",
    "mpeg2": "-c:v mpeg2video -q:v 4 -bf 2",
    "mpeg4": "-c:v mpeg4 -q:v 4",
    "vp8": "-c:v libvpx -deadline realtime -cpu-used 8 -b:v 800k -auto-alt-ref 0",
    "vp9": "-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -b:v 800k",
    "mjpeg": "-c:v mjpeg -q:v 4 -pix_fmt yuvj420p",
    "theora": "-c:v libtheora -q:v 6",
    "wmv2": "-c:v wmv2 -q:v 4",
}
INTERLACED = {"h264": "-x264-params tff=1", "mpeg2": "-flags +ilme+ildct -top 1"}
AUDIO = {
    "aac": "-c:a aac -b:a 96k",
    "mp3": "-c:a libmp3lame -b:a 96k",
    "mp2": "-c:a mp2 -b:a 192k",
    "ac3": "-c:a ac3 -b:a 192k",
    "opus": "-c:a libopus -b:a 96k",
    "vorbis": "-c:a libvorbis -q:a 5",
    "pcm": "-c:a pcm_s16le",
    "pcm24": "-c:a pcm_s24le",
    "flac": "-c:a flac",
    "wmav2": "-c:a wmav2 -b:a 128k",
}
# Samples that an encoder's first packet begins ahead of the sound: the timeline may begin there as well.
RUN_IN_SAMPLES = {"aac": 1024, "mp3": 1105, "mp2": 481, "ac3": 256, "opus": 312, "vorbis": 128, "wmav2": 2048}
# Samples of a packet, of those whose packets are all alike.
PACKET_SAMPLES = {"aac": 1024, "mp3": 1152, "mp2": 1152, "ac3": 1536, "opus": 960, "wmav2": 2048}
WITHOUT_TIMES = frozenset({"pcm", "pcm24"})  # in QuickTime and MP4: no packet has a time of its own
FINE = frozenset({"h264", "h264_b", "h264_open", "hevc", "vp8", "vp9", "mjpeg"})  # encoders that take any clock
