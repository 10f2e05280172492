"""What cannot be encoded is refused at once by its true name, and what looks alike and can be encoded is taken."""

from __future__ import annotations

import subprocess
from array import array
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest

from storage.errors import RungsError
from storage.media_errors import CodecUnsupportedError
from storage.model.job import Job, JobState
from storage.model.job_warnings import warning
from storage.model.plan import Plan
from storage.objects.local import LocalObjectStore
from storage.services import Services
from storage.settings import Settings
from tests.support import planning
from tests.support.driving import drive
from tests.support.looking import look, samples
from tests.support.odd_containers import Shown, animated_png, animated_webp, plain_pcm, pva
from tests.support.protecting import (
    MEDIA_DRM,
    PLAYREADY,
    Change,
    changed,
    encrypted_matroska,
    encrypted_mxf,
    filtered_flash,
    protected_asf,
    renamed,
    sample_encrypted,
    scheme,
    scrambled_sectors,
    scrambled_transport,
    with_box_of_track,
    with_key_box,
)
from tests.support.results import made
from workers.planning.make_plan import PlanLimits
from workers.planning.plan_file import plan_file
from workers.sandbox.relay import Relay
from workers.sandbox.run import Watch

LIMITS = PlanLimits(max_pixels=8192 * 4352, max_seconds=12 * 3600, preset="veryfast", slots=2)
KEY = "-encryption_scheme cenc-aes-ctr -encryption_key 76a6c65c5ea762046bd749a2e632ccbb"
CENC = f"-c:v libx264 -preset ultrafast -c:a aac {KEY} -encryption_kid a7e61c373e219033c21091fa607bf3b8"
CLEAR = "-c:v libx264 -preset ultrafast -c:a aac"
VIDEO_PID, SOUND_PID = 0x100, 0x101
RATE = 25


def clip(path: Path, options: str, *, seconds: float = 2, size: str = "320x180", sound: bool = True) -> Path:
    """Write a clip of a moving pattern and a tone."""
    sources = ["-f", "lavfi", "-i", f"testsrc2=size={size}:rate={RATE}:duration={seconds}"]
    tone = ["-f", "lavfi", "-i", f"sine=frequency=440:sample_rate=48000:duration={seconds}"] if sound else []
    ffmpeg(*sources, *tone, *options.split(), str(path))
    return path


def ffmpeg(*arguments: str) -> bytes:
    """Run ffmpeg; return what it wrote to its standard output."""
    command = ["ffmpeg", "-nostdin", "-v", "error", "-y", *arguments]
    return subprocess.run(command, check=True, timeout=120, capture_output=True).stdout


def planned(path: Path | str) -> Plan:
    """Return the plan of a file."""
    return plan_file(str(path), LIMITS, Watch())[0]


def refused(path: Path | str) -> str:
    """Return the code by which the file is refused."""
    with pytest.raises(RungsError) as refusal:
        planned(path)
    assert refusal.value.message.endswith(".")
    return refusal.value.code


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the folder of clips that several tests change."""
    return tmp_path_factory.mktemp("clear")


@cache
def clear(folder: Path, name: str, options: str) -> Path:
    """Return a clip, made once."""
    return clip(folder / name, options)


@dataclass(frozen=True, slots=True)
class Protected:
    """A clear or encrypted clip and how it is changed."""

    name: str
    options: str
    change: Change = bytes


WMV = "-c:v wmv2 -c:a wmav2"
LIVE = "-c:v libvpx -c:a libopus -live 1"
PROTECTED = {
    "cenc": Protected("cenc.mp4", CENC),
    "cenc in fragments": Protected("fragments.mp4", f"{CENC} -movflags +frag_keyframe+empty_moov", with_key_box),
    "cbcs": Protected("cbcs.mp4", CENC, scheme("cbcs")),
    "cbc1 in QuickTime": Protected("cbc1.mov", CENC, scheme("cbc1")),
    "sound in the clear": Protected("clear_sound.mp4", CLEAR, renamed(avc1="encv")),
    "FairPlay": Protected("itunes.m4v", f"{CLEAR} -f mp4", renamed(avc1="drmi", mp4a="drms")),
    "FairPlay, sound in the clear": Protected("itunes_2.m4v", f"{CLEAR} -f mp4", renamed(avc1="drmi")),
    "PlayReady": Protected("playready.wmv", WMV, protected_asf(PLAYREADY)),
    "PlayReady with flags": Protected("flags.wmv", WMV, protected_asf(PLAYREADY, flags=(True, False))),
    "Windows Media DRM": Protected("drm.wmv", WMV, protected_asf(MEDIA_DRM)),
    "WebM": Protected("key.webm", LIVE, encrypted_matroska(frozenset({1, 2}))),
    "WebM, sound in the clear": Protected("key_2.webm", LIVE, encrypted_matroska(frozenset({1}))),
    "Matroska": Protected("key.mkv", f"{CLEAR} -live 1", encrypted_matroska(frozenset({1, 2}))),
    "broadcast": Protected("ca.ts", CLEAR, scrambled_transport(VIDEO_PID, SOUND_PID)),
    "broadcast, sound in the clear": Protected("ca_2.ts", CLEAR, scrambled_transport(VIDEO_PID)),
    "broadcast, a part of the packets": Protected("ca_3.ts", CLEAR, scrambled_transport(VIDEO_PID, share=0.3)),
    "M2TS": Protected("ca.m2ts", CLEAR, scrambled_transport(VIDEO_PID + 0xF11, packet=192)),
    "sample encryption": Protected("hls.ts", CLEAR, sample_encrypted),
    "DVD": Protected("vts.vob", "-c:v mpeg2video -c:a ac3 -f vob", scrambled_sectors),
    "Flash": Protected("access.flv", CLEAR, filtered_flash),
    "cinema": Protected("dcp.mxf", "-c:v mpeg2video -c:a pcm_s16le", encrypted_mxf),
}


@pytest.mark.parametrize("name", PROTECTED)
def test_encrypted_pictures_are_refused_by_that_name(name: str, folder: Path, tmp_path: Path) -> None:
    """Whatever the container and whatever lies beside them; what was not changed is taken."""
    case = PROTECTED[name]
    source = clear(folder, case.name, case.options)
    if case.options is not CENC and "encryption" not in case.options:
        assert planned(source).audio
    assert refused(changed(source, tmp_path / case.name, case.change)) == "encrypted"


def test_an_encrypted_video_fails_its_job_at_the_first_look(
    own_services: Services, settings: Settings, folder: Path
) -> None:
    """Nothing is tried again, and nothing of it is decoded."""
    job = drive(own_services, settings, clear(folder, "cenc.mp4", CENC))
    assert job.error is not None
    assert (job.state, job.error.code, job.plan) == (JobState.FAILED, "encrypted", None)


@pytest.mark.parametrize("name", ["cenc", "broadcast", "PlayReady"])
def test_an_original_on_another_machine_is_refused_too(name: str, folder: Path, tmp_path: Path) -> None:
    """Headers are read through the same address as ffprobe reads."""
    case = PROTECTED[name]
    objects = LocalObjectStore(tmp_path / "objects")
    objects.prepare()
    path = changed(clear(folder, case.name, case.options), tmp_path / case.name, case.change)
    objects.put_file("film", path, content_type="video/mp4")
    with Relay(objects, "film") as relay:
        assert refused(relay.url) == "encrypted"
        relay.check(failed=False)


@pytest.mark.parametrize(
    "case",
    [
        Protected("sound.mp4", CLEAR, renamed(mp4a="enca")),
        Protected("sound.ts", CLEAR, scrambled_transport(SOUND_PID)),
        Protected("sound.webm", LIVE, encrypted_matroska(frozenset({2}))),
        Protected("sound.wmv", WMV, protected_asf(PLAYREADY, flags=(False, True))),
    ],
    ids=lambda case: case.name,
)
def test_encrypted_sound_is_left_out(case: Protected, folder: Path, tmp_path: Path) -> None:
    """The pictures are encoded, and a warning says why it is silent."""
    plan = planned(changed(clear(folder, case.name, case.options), tmp_path / case.name, case.change))
    assert (plan.audio, plan.warnings) == ((), (warning("audio_encrypted", n=1),))


@pytest.mark.parametrize(
    "case",
    [
        Protected("half.ts", CLEAR, scrambled_transport(VIDEO_PID, first=0.6)),
        Protected("few.ts", CLEAR, scrambled_transport(VIDEO_PID, share=0.02)),
        Protected("signed.webm", LIVE, encrypted_matroska(frozenset({1, 2}), algorithm=0)),
        Protected("keys.mp4", CLEAR, with_key_box),
    ],
    ids=lambda case: case.name,
)
def test_what_is_not_encrypted_is_not_refused(case: Protected, folder: Path, tmp_path: Path) -> None:
    """A recording that was in the clear for long, a few marked packets, signatures, keys that nothing needs."""
    plan = planned(changed(clear(folder, case.name, case.options), tmp_path / case.name, case.change))
    assert not {found.code for found in plan.warnings} & {"video_encrypted", "audio_encrypted"}


def test_of_two_programmes_the_one_in_the_clear_is_taken(tmp_path: Path) -> None:
    """A transponder's recording holds what one may watch beside what one may not."""
    programmes = "-map 0:v -map 0:v -c:v libx264 -program title=pay:st=0 -program title=free:st=1"
    source = clip(tmp_path / "two.ts", programmes, sound=False)
    plan = planned(changed(source, tmp_path / "scrambled.ts", scrambled_transport(VIDEO_PID)))
    assert (plan.video.stream, plan.warnings) == (1, (warning("video_encrypted", n=1),))


def test_photos_are_pictures_and_sequences_are_videos(tmp_path: Path) -> None:
    """AVIF and HEIC of one picture are no videos of a second; those of several are, as one picture in MP4 is."""
    av1 = "-c:v libaom-av1 -cpu-used 8"
    photo = clip(tmp_path / "photo.avif", f"{av1} -frames:v 1 -still-picture 1", sound=False)
    assert refused(photo) == "picture_only"
    heic = changed(photo, tmp_path / "photo.heic", lambda data: data.replace(b"avif", b"heic"))
    assert refused(heic) == "picture_only"
    moving = planned(clip(tmp_path / "moving.avif", av1, sound=False, seconds=1))
    assert (moving.video.codec, moving.frames) == ("av1", RATE)
    assert planned(clip(tmp_path / "one.mp4", "-c:v libx264 -frames:v 1", sound=False)).frames == 1
    hevc = clip(tmp_path / "hevc.mp4", "-c:v libx265 -x265-params log-level=0 -tag:v hvc1", sound=False, seconds=1)
    sequence = changed(
        hevc, tmp_path / "live.heics", lambda data: data.replace(b"vide", b"pict").replace(b"isom", b"msf1")
    )
    assert planned(sequence).frames == RATE


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("asus.avi", "-c:v asv1"),
        ("snow.avi", "-c:v snow -strict -2"),
        ("game.avi", "-c:v zmbv"),
        ("exr.mkv", "-c:v exr -pix_fmt gbrpf32le"),
        ("sound.nut", "-c:v libx264 -preset ultrafast -c:a pcm_s64le"),  # no reader finds its name there
    ],
)
def test_a_codec_that_no_upload_may_reach_is_refused_by_that_name(name: str, options: str, tmp_path: Path) -> None:
    """Though this ffmpeg could decode it; sound alone is refused so where nothing else can be done."""
    source = clip(tmp_path / name, options, seconds=0.2, size="64x64", sound="-c:a" in options)
    with pytest.raises(CodecUnsupportedError):
        planning.planned(source)


def test_a_codec_that_nobody_knows_is_refused_by_that_name(folder: Path, tmp_path: Path) -> None:
    """The name in the container leads to no decoder."""
    source = clear(folder, "plain.mkv", "-c:v mpeg4")
    name = b"V_MPEG4/ISO/ASP"
    assert refused(changed(source, tmp_path / "x.mkv", lambda data: data.replace(name, b"V_NOBODY/KNOWS1"))) == (
        "codec_unsupported"
    )


@pytest.mark.parametrize("options", ["-c:s mov_text -f mp4", "-c:s srt -f matroska", "-c:s ass -f ass", "-f srt"])
def test_subtitles_alone_are_told_so(options: str, tmp_path: Path) -> None:
    """In a container of videos as in a file of text."""
    words = tmp_path / "words.srt"
    words.write_text("1\n00:00:00,000 --> 00:00:01,000\n안녕하세요\n")
    ffmpeg("-i", str(words), *options.split(), str(tmp_path / "film.mp4"))
    assert refused(tmp_path / "film.mp4") == "subtitles_only"


@pytest.mark.parametrize("suffix", ["bmp", "tiff", "jp2"])
def test_a_picture_of_a_kind_without_films_is_refused_unopened(suffix: str, tmp_path: Path) -> None:
    """Its first bytes tell it, and no decoder of such pictures is reached."""
    assert refused(clip(tmp_path / f"still.{suffix}", "-frames:v 1", sound=False)) == "picture_only"


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp"])
def test_still_pictures_stay_refused(suffix: str, tmp_path: Path) -> None:
    """One picture in a file of pictures is no video."""
    assert refused(clip(tmp_path / f"still.{suffix}", "-frames:v 1", sound=False)) == "picture_only"


def test_an_animated_png_plays_once_on_black(own_services: Services, settings: Settings, tmp_path: Path) -> None:
    """Each picture shows for as long as it says, the last one too, and what is half transparent is half as bright."""
    red, green, glass = (255, 0, 0, 255), (0, 255, 0, 255), (0, 0, 255, 128)
    pictures = [Shown(red, 50), Shown(green, 25), Shown(glass, 75)]
    job = drive(own_services, settings, animated_png(tmp_path / "loops.png", pictures))
    video = ready(own_services, job)
    colours = array("B", ffmpeg("-i", str(video), "-vf", "scale=1:1", "-pix_fmt", "rgb24", "-f", "rawvideo", "-"))
    shown = [tuple(colours[n : n + 3]) for n in range(0, len(colours), 3)]
    assert job.plan is not None
    assert (job.plan.rate, job.plan.frames, len(shown)) == (Fraction(4), 6, 6)
    expected = [red[:3], red[:3], green[:3], (0, 0, 128), (0, 0, 128), (0, 0, 128)]
    for found, colour in zip(shown, expected, strict=True):
        assert found == pytest.approx(colour, abs=6)


def test_animated_pictures_that_cannot_be_decoded_are_told_so(tmp_path: Path) -> None:
    """An animated WebP is not called a still picture; an animation of one picture is one."""
    assert refused(animated_webp(tmp_path / "cat.webp")) == "animated_picture"
    assert refused(animated_png(tmp_path / "one.png", [Shown((255, 0, 0, 255), 50)])) == "picture_only"


def ready(services: Services, job: Job) -> Path:
    """Return the largest rung of a job that ended well."""
    assert (job.state, job.error) == (JobState.READY, None)
    assert job.plan is not None
    return made(services, job, f"{job.plan.rungs[0].name}.mp4")


def levels(path: Path) -> list[int]:
    """Return the average brightness of each picture, in the order of the pictures."""
    shrunk = "scale=1:1:flags=area,format=gray"
    return list(
        ffmpeg("-i", str(path), "-map", "0:v:0", "-vf", shrunk, "-fps_mode", "passthrough", "-f", "rawvideo", "-")
    )


RAW = {
    "bare.h264": "-c:v libx264 -bf 3",
    "interlaced.h264": "-c:v libx264 -flags +ilme+ildct",
    "bare.hevc": "-c:v libx265 -x265-params log-level=0",
    "bare.m4v": "-c:v mpeg4 -bf 2 -f m4v",
    "bare.m1v": "-c:v mpeg1video -bf 2",
    "bare.m2v": "-c:v mpeg2video -bf 2",
    "bare.mjpeg": "-c:v mjpeg -q:v 3",
    "bare.obu": "-c:v libaom-av1 -cpu-used 8 -f obu",
    "bare.ivf": "-c:v libvpx",
    "bare.y4m": "-pix_fmt yuv420p",
    "media_center.wtv": "-c:v mpeg2video -bf 2",
}


@pytest.mark.parametrize("name", RAW)
def test_every_picture_of_a_raw_stream_is_shown(
    name: str, own_services: Services, settings: Settings, tmp_path: Path
) -> None:
    """One after the other at the stream's rate: each a little brighter than the one before it, none lost or doubled."""
    source = tmp_path / name
    brighter = f"nullsrc=size=160x96:rate={RATE}:duration=2,geq=lum='20+4*N':cb=128:cr=128"
    ffmpeg("-f", "lavfi", "-i", brighter, "-color_range", "tv", *RAW[name].split(), str(source))
    job = drive(own_services, settings, source)
    video = ready(own_services, job)
    assert look(video).frames == 2 * RATE
    assert look(video).seconds("video") == pytest.approx(2.0)
    assert levels(video) == pytest.approx(levels(source), abs=1)
    assert len(set(levels(video))) > 1.8 * RATE
    assert job.warnings == ()


def test_the_rate_of_a_raw_stream_is_the_one_it_declares(tmp_path: Path) -> None:
    """H.264 and HEVC may say their rate; exact ones with 1001 stay exact."""
    for name, rate in (("fast.h264", "60000/1001"), ("slow.hevc", "12")):
        source = f"testsrc2=size=160x96:rate={rate}:duration=2"
        quiet = ["-x265-params", "log-level=0"] if name.endswith("hevc") else []
        ffmpeg("-f", "lavfi", "-i", source, *quiet, str(tmp_path / name))
        plan = planned(tmp_path / name)
        assert f"{plan.rate_num}/{plan.rate_den}".removesuffix("/1") == rate
        assert plan.segment_count == 1


def test_gxf_is_taken_with_its_sound(tmp_path: Path) -> None:
    """Broadcast servers keep their clips so."""
    gxf = "-c:v mpeg2video -s 720x576 -c:a pcm_s16le"
    plan = planned(clip(tmp_path / "server.gxf", gxf))
    assert plan.audio
    assert (plan.video.codec, plan.rate, plan.frames) == ("mpeg2video", Fraction(RATE), 2 * RATE)


def test_pva_is_taken_with_its_sound(own_services: Services, settings: Settings, tmp_path: Path) -> None:
    """What the receivers of TechnoTrend recorded is a transport stream in other packets."""
    source = clip(tmp_path / "source.ts", "-c:v mpeg2video -bf 0 -g 12 -c:a mp2 -pes_payload_size 0")
    job = drive(own_services, settings, pva(source, tmp_path / "film.pva"))
    video = ready(own_services, job)
    assert look(video).frames == 2 * RATE
    assert levels(video) == pytest.approx(levels(source), abs=2)
    assert tone(video) == pytest.approx(440, abs=5)


PCM = {
    "s16le": (16, True, False),
    "s16be": (16, False, False),
    "s24le": (24, True, False),
    "s24be": (24, False, False),
    "s32le": (32, True, False),
    "f32le": (32, True, True),
    "f64be": (64, False, True),
}


@pytest.mark.parametrize("name", PCM)
def test_pcm_in_mp4_is_the_tone_or_silence_with_a_warning(
    name: str, own_services: Services, settings: Settings, tmp_path: Path
) -> None:
    """Never noise: what this machine's ffmpeg takes for other samples is left out, newer ones decode it."""
    bits, little, real = PCM[name]
    source = clip(tmp_path / "source.mov", f"-c:v libx264 -c:a pcm_{name}", seconds=1)
    camera = plain_pcm(source, tmp_path / "camera.mp4", bits=bits, little=little, real=real)
    plan = planned(camera)
    if not plan.audio:
        assert bits > 16
        assert plan.warnings == (warning("audio_misread", n=1),)
        return
    video = ready(own_services, drive(own_services, settings, camera))
    assert tone(video) == pytest.approx(440, abs=5)
    middle = slice(12_000, 36_000)
    assert max(samples(video)[middle]) == pytest.approx(max(samples(source)[middle]), rel=0.1)


def tone(path: Path) -> float:
    """Return the frequency of a tone, by how often it changes its sign, in Hz."""
    heard = samples(path)
    return sum(before < 0 <= after for before, after in pairwise(heard)) / (len(heard) / 48_000)


SPHERICAL = b"""<?xml version="1.0"?><rdf:SphericalVideo xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"
xmlns:GSpherical="http://ns.google.com/videos/1.0/spherical/"><GSpherical:Spherical>true</GSpherical:Spherical>
<GSpherical:Stitched>true</GSpherical:Stitched><GSpherical:StitchingSoftware>Camera</GSpherical:StitchingSoftware>
<GSpherical:ProjectionType>equirectangular</GSpherical:ProjectionType>
<GSpherical:StereoMode>top-bottom</GSpherical:StereoMode></rdf:SphericalVideo>"""


def test_a_recording_of_all_around_is_told(tmp_path: Path) -> None:
    """Marked as the first cameras did, by a box of XML in the track."""
    source = clip(tmp_path / "plain.mp4", "-c:v libx264", sound=False, seconds=1)
    camera = changed(source, tmp_path / "around.mp4", with_box_of_track("ffcc8263f8554a938814587a02521fdd", SPHERICAL))
    assert planned(camera).warnings == (warning("spherical"), warning("stereo_above"))


@pytest.mark.parametrize(("layout", "code"), [("left_right", "stereo_beside"), ("top_bottom", "stereo_above")])
@pytest.mark.parametrize("suffix", ["mkv", "mp4"])
def test_two_views_are_told(layout: str, code: str, suffix: str, tmp_path: Path) -> None:
    """Players show both, and a viewer learns why."""
    source = clip(tmp_path / "eyes.mkv", f"-c:v libx264 -metadata:s:v:0 stereo_mode={layout}", sound=False, seconds=1)
    copied = tmp_path / f"copied.{suffix}"
    ffmpeg("-i", str(source), "-c", "copy", "-strict", "unofficial", str(copied))
    assert planned(copied).warnings == (warning(code),)


def test_a_strip_has_no_rung_below_what_encoders_take(tmp_path: Path) -> None:
    """A ticker of 16 lines gets one rung, as it is."""
    plan = planned(clip(tmp_path / "ticker.mp4", "-c:v libx264", size="1280x16", sound=False, seconds=1))
    assert [(rung.width, rung.height) for rung in plan.rungs] == [(1280, 16)]
