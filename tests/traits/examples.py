"""Combinations with a name: each finds a fault that was severe once, and found it when it was put back."""

from __future__ import annotations

from tests.traits.traits import Traits

EXAMPLES = {
    # A screen recorder writes no picture while nothing moves: 70 s of talk were cut out as a jump of the clock.
    "pause of a still screen, mp4": Traits("mp4", "h264", "aac", rate="30", pauses=((2.0, 70.0),)),
    "pause of a still screen, webm": Traits("webm", "vp8", "opus", rate="15", pauses=((1.0, 61.0),)),
    # Sound that outlasts the picture was lost where a container tells no length per track.
    "sound outlasts the picture, mkv": Traits("mkv", "h264", "aac", seconds=3.0, sound_end=6.0),
    "sound outlasts the picture, flv": Traits("flv", "h264_b", "mp3", seconds=2.0, sound_end=9.0),
    # Of two recordings in one stream one was lost.
    "two recordings, ts": Traits("ts", "h264", "aac", parts=2, offset=1.4),
    "three recordings, mpg": Traits("mpg", "mpeg2", "mp2", seconds=3.0, parts=3, offset=1.4),
    # A download that broke off was filled with a frozen picture in silence.
    "cut off, mp4": Traits("mp4", "h264", "aac", seconds=8.0, cut=0.4),
    "cut off, mkv": Traits("mkv", "vp8", "opus", seconds=8.0, cut=0.55),
    # Jitter was taken as a rate: 48 pictures a second of 30.
    "jitter, webm": Traits("webm", "vp8", "", rate="30", seconds=8.0, jitter=0.008),
    "jitter, ts": Traits("ts", "h264", "aac", rate="25", seconds=8.0, jitter=0.008),
}
