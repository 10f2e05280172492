"""Combinations with a name: each was wrong once, or must stay right; the severe faults were put back and found."""

from __future__ import annotations

from tests.traits.traits import WRAP_SECONDS, Traits

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
    # Samples of 24 bits were read as 16, and were noise.
    "pcm of 24 bits, mp4": Traits("mp4", "h264", "pcm24"),
    "pcm of 24 bits that begins first, mp4": Traits("mp4", "h264_b", "pcm24", sound_start=-1.0),
    # Jitter was taken as a rate: 48 pictures a second of 30.
    "jitter, webm": Traits("webm", "vp8", "", rate="30", seconds=8.0, jitter=0.008),
    "jitter, ts": Traits("ts", "h264", "aac", rate="25", seconds=8.0, jitter=0.008),
    # What random combinations found.
    "a keyframe that is decoded long before it shows, m2ts": Traits(
        "m2ts", "h264_b", "mp2", rate="25/2", sound_end=-0.4, jitter=0.002, pauses=((1.0, 2.0), (1.5, 3.0))
    ),
    "sound that begins late in the next part, mpg": Traits(
        "mpg", "mpeg2", "ac3", rate="50", sound_start=2.0, sound_end=-0.4, parts=2, restart=2000.0
    ),
    "clocks that run over each other, mpg": Traits(
        "mpg", "mpeg2", "ac3", rate="60000/1001", sound_end=1.0, parts=3, restart=-1.0
    ),
    "recordings with checksums, mkv": Traits("mkv", "h264_b", "flac", seconds=3.0, parts=3),
    "two recordings, flv": Traits("flv", "h264", "aac", parts=2),
    "a jump within an open group, m2ts": Traits("m2ts", "h264_open", "ac3", rate="10", seconds=8.0, jump=(1.5, 9000.0)),
    "the last of pictures whose rate is not known, ts": Traits(
        "ts", "h264_open", "mp3", rate="1", seconds=2.0, offset=1.4, jitter=0.008
    ),
    "the sound was cut off, avi": Traits("avi", "mpeg4", "ac3", rate="60", seconds=2.0, sound_end=6.0, cut=0.55),
    # Everything else that came out wrong in the field, in containers and codecs that the field's files do not have.
    "sound begins first, mkv": Traits("mkv", "h264_b", "opus", sound_start=-3.0),
    "sound begins first, flv": Traits("flv", "h264", "aac", rate="30", sound_start=-1.0),
    "sound comes late, ts": Traits("ts", "mpeg2", "mp2", seconds=14.0, sound_start=8.0),
    "sound drifts, mkv": Traits("mkv", "vp9", "opus", seconds=12.0, drift=0.01),
    "slow motion, mov": Traits("mov", "h264", "aac", rate="240000/1001", seconds=1.5),
    "the clock jumps, ts": Traits("ts", "h264_b", "aac", jump=(1.5, 1000.0)),
    "a clock that runs over, m2ts": Traits("m2ts", "h264_b", "ac3", offset=WRAP_SECONDS - 1.0),
    "radio, then television": Traits("ts", "h264", "mp2", programmes="radio"),
    "two programmes of television": Traits("ts", "mpeg2", "mp2", programmes="television"),
    "two mixes": Traits("mkv", "h264", "aac", two_mixes=True),
    "a phone is turned in a call": Traits("webm", "vp9", "opus", rate="30", change="portrait"),
    "a broadcast grows": Traits("ts", "h264", "aac", change="size"),
    "fields come later": Traits("ts", "mpeg2", "mp2", change="fields"),
    "sound that changes its rate": Traits("ts", "h264", "aac", change="sound_rate"),
    "a hole in the sound": Traits("ts", "h264", "aac", seconds=5.0, holes=((1.4, 2.5),)),
    # Every track keeps its language, its content and its place.
    "three languages, two texts, chapters, mkv": Traits(
        "mkv", "h264", "aac", languages=("eng", "kor", "fra"), lag=0.4, texts=("subrip", "ass"), chapters=3
    ),
    "the second language begins first, ts": Traits("ts", "h264", "mp2", languages=("eng", "spa"), lag=-0.4, offset=1.4),
    "languages, a text and chapters, mp4": Traits(
        "mp4", "h264_b", "aac", sound_start=-0.4, languages=("kor", "eng"), texts=("mov_text",), chapters=2
    ),
    "a text and chapters beside a pause, webm": Traits(
        "webm", "vp8", "opus", pauses=((1.0, 5.0),), texts=("webvtt",), chapters=2
    ),
}
