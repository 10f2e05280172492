"""A good video beside whose pictures lies a track in a codec that no upload may reach: the track alone is left out."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from storage.media_errors import CodecUnsupportedError
from storage.model.job import JobState
from storage.model.job_warnings import warning
from storage.services import Services
from storage.settings import Settings
from tests.support.driving import drive
from tests.support.planning import planned

PICTURES = ("-f", "lavfi", "-i", "testsrc2=size=96x64:rate=25:duration=0.4")
SOUND = ("-f", "lavfi", "-i", "sine=frequency=440:sample_rate=8000:duration=0.4")
_H264 = "-c:v:0 libx264 -preset ultrafast"
_SPEECH = "-c:a:0 g723_1 -b:a:0 6300"
# The codec that is not listed, and how the file is written.
FILES = {
    "speech.mkv": ("g723_1", f"-map 0 -map 1 {_H264} {_SPEECH}"),
    "fragments.mov": ("g723_1", f"-map 0 -map 1 {_H264} {_SPEECH} -movflags +frag_keyframe+empty_moov"),
    "speech.wmv": ("g723_1", f"-map 0 -map 1 -c:v wmv2 {_SPEECH}"),
    "sonic.avi": ("sonic", f"-map 0 -map 1 {_H264} -c:a sonic -strict -2"),
    "second.avi": ("snow", f"-map 0 -map 0 -map 1 {_H264} -c:v:1 snow -strict -2 -c:a aac"),
    "second.mov": ("smc", f"-map 0 -map 0 -map 1 {_H264} -c:v:1 smc -c:a aac"),
}
SILENT = {name for name in FILES if not name.startswith("second")}


def write(path: Path, options: str) -> Path:
    """Write a file of pictures and sound."""
    command = ["ffmpeg", "-nostdin", "-v", "error", "-y", *PICTURES, *SOUND, "-ac", "1", *options.split(), str(path)]
    subprocess.run(command, check=True, timeout=60, capture_output=True)
    return path


@pytest.mark.parametrize("name", FILES)
def test_such_a_track_is_left_out_by_name(name: str, tmp_path: Path) -> None:
    """Whatever its kind and the container; sound in a listed codec beside it stays."""
    codec, options = FILES[name]
    plan = planned(write(tmp_path / name, options))
    assert plan.warnings == (warning("codec_left_out", n=1, codecs=codec),)
    assert (not plan.audio, plan.video.codec) == (name in SILENT, "wmv2" if "wmv" in name else "h264")


def test_two_such_tracks_leave_the_third_to_the_job(own_services: Services, settings: Settings, tmp_path: Path) -> None:
    """One after the other is met, and every stage reads the file as planning did."""
    options = f"-map 1 -map 0 -map 1 -map 1 {_H264} {_SPEECH} -c:a:1 sonic -strict -2 -c:a:2 aac"
    job = drive(own_services, settings, write(tmp_path / "three.avi", options))
    assert (job.state, job.error) == (JobState.READY, None)
    assert job.plan is not None
    (audio,) = job.plan.audio
    assert (audio.stream, job.warnings) == (3, (warning("codec_left_out", n=2, codecs="g723_1, sonic"),))


@pytest.mark.parametrize(("name", "codec"), [("only.avi", "snow"), ("only.mov", "smc")])
def test_pictures_in_such_a_codec_are_refused(name: str, codec: str, tmp_path: Path) -> None:
    """Beside sound that could be decoded as well: the file is no recording of sound."""
    with pytest.raises(CodecUnsupportedError):
        planned(write(tmp_path / name, f"-map 0 -map 1 -c:v {codec} -strict -2 -c:a aac"))
