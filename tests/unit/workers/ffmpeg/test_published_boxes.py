"""Boxes that are published: what our commands write passes, and nothing that hides in it or leads out of it."""

from __future__ import annotations

import io
import struct
import subprocess
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storage.errors import OutputMismatchError
from storage.model.plan import ROLES
from workers.ffmpeg.commands import PackedSound, package_command
from workers.ffmpeg.mp4_boxes import read_boxes
from workers.ffmpeg.published_boxes import SOUND, VIDEO, Finished, check_finished, check_init, check_pieces

FRAMES, SCALE = 50, 12_800
PLANNED = Finished(frames=FRAMES, ticks=SCALE // 25, timescale=SCALE, sounds=1)
_FRAGMENTED = "+frag_keyframe+empty_moov+default_base_moof+negative_cts_offsets+frag_discont+skip_trailer"


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Give fragments of pictures, of sound, and the MP4 that `package_command` makes of them."""
    folder = tmp_path_factory.mktemp("parts")
    written = f"-movflags {_FRAGMENTED} -use_editlist 0 -fflags +bitexact -f mp4"
    pictures = f"-f lavfi -i testsrc2=size=64x48:rate=25:duration=2 -c:v libx264 -bf 3 -g 20 -pix_fmt yuv420p {written}"
    sound = f"-f lavfi -i sine=duration=2:sample_rate=48000 -c:a aac -frag_duration 500000 {written}"
    for name, options in (("video.mp4", pictures), ("sound.mp4", sound)):
        _run(["ffmpeg", "-nostdin", "-v", "error", *options.split(), str(folder / name)])
    made = folder / "whole.mp4"
    _run(package_command(folder / "video.mp4", [PackedSound(folder / "sound.mp4")], made, seconds=2.0))
    told = [{"language": "de"}, *({"language": "zh-Hant", "title": "Talk, 5.1", "role": role} for role in ROLES)]
    tracks = [PackedSound(folder / "sound.mp4", **one) for one in told]
    _run(package_command(folder / "video.mp4", tracks, folder / "tracks.mp4", seconds=2.0))
    return {path.stem: path.read_bytes() for path in folder.iterdir()}


def _run(command: list[str]) -> None:
    subprocess.run(command, check=True, capture_output=True, timeout=60)


def passes(check: Callable[[], None]) -> bool:
    """Tell whether it may be published; fail on any error that is not ours."""
    try:
        check()
    except OutputMismatchError:
        return False
    return True


def finished(data: bytes, planned: Finished = PLANNED) -> bool:
    """Tell whether these bytes may be published as the finished MP4."""
    return passes(lambda: check_finished(io.BytesIO(data), len(data), planned))


def fragments(data: bytes, handler: bytes = VIDEO) -> bool:
    """Tell whether these bytes may be published as init section and fragments."""

    def check() -> None:
        found = read_boxes(io.BytesIO(data), len(data))
        check_pieces(found, len(data))
        check_init(data[: found.init_bytes], handler)

    return passes(check)


def box(kind: bytes, payload: bytes) -> bytes:
    """Return a box."""
    return struct.pack(">I4s", 8 + len(payload), kind) + payload


def grown(data: bytes, path: tuple[bytes, ...], change: Callable[[bytes], bytes]) -> bytes:
    """Return the boxes with the last one's payload changed, and all around it as long as they are then."""
    place = data.index(path[0]) - 4
    size = int.from_bytes(data[place : place + 4], "big")
    payload = data[place + 8 : place + size]
    changed = change(payload) if len(path) == 1 else grown(payload, path[1:], change)
    return data[:place] + box(path[0], changed) + data[place + size :]


def test_what_our_commands_write_passes(parts: dict[str, bytes]) -> None:
    """Of this ffmpeg, whichever it is."""
    assert fragments(parts["video"])
    assert fragments(parts["sound"], SOUND)
    assert finished(parts["whole"])


def test_tracks_of_every_role_pass_if_they_are_as_many_as_planned(parts: dict[str, bytes]) -> None:
    """What an MP4 says of roles stands in boxes of their own."""
    count = 1 + len(ROLES)
    for sounds in (count - 1, count, count + 1):
        assert finished(parts["tracks"], replace(PLANNED, sounds=sounds)) is (sounds == count)


def test_tracks_and_lengths_are_the_planned_ones(parts: dict[str, bytes]) -> None:
    """No track more or less, every frame, and sound no longer than the pictures."""
    whole = parts["whole"]
    assert not finished(whole, replace(PLANNED, sounds=0))
    assert not finished(whole, replace(PLANNED, frames=FRAMES - 1))
    assert not finished(whole, replace(PLANNED, ticks=PLANNED.ticks + 30))
    assert not fragments(parts["video"], SOUND)
    assert not fragments(parts["sound"], VIDEO)
    assert not finished(parts["video"])


@pytest.mark.parametrize("url", [b"file:///etc/shadow\0", b"http://169.254.169.254/\0", b""])
@pytest.mark.parametrize("kind", [b"url ", b"urn ", b"alis"])
def test_data_of_another_file_are_refused(kind: bytes, url: bytes, parts: dict[str, bytes]) -> None:
    """A data reference says that the samples are in this file, and nothing else."""
    reference = struct.pack(">II", 0, 1) + box(kind, bytes(4) + url)
    more = struct.pack(">II", 0, 2) + box(b"url ", b"\0\0\0\1") + box(kind, bytes(4) + url)
    path = (b"moov", b"trak", b"mdia", b"minf", b"dinf", b"dref")
    for payload in (reference, more):
        assert not finished(grown(parts["whole"], path, lambda _, payload=payload: payload))  # type: ignore[misc]
        assert not fragments(grown(parts["video"], path, lambda _, payload=payload: payload))  # type: ignore[misc]


@pytest.mark.parametrize("path", [(b"moov",), (b"moov", b"trak"), (b"moov", b"trak", b"mdia", b"minf", b"stbl")])
@pytest.mark.parametrize("kind", [b"free", b"uuid", b"skip", b"moov"])
def test_a_box_that_nobody_knows_is_refused(path: tuple[bytes, ...], kind: bytes, parts: dict[str, bytes]) -> None:
    """Wherever it lies: it may hold anything."""
    for data, judge in ((parts["whole"], finished), (parts["video"], fragments)):
        assert not judge(grown(data, path, lambda payload: payload + box(kind, b"secret")))


def test_a_box_that_is_too_large_is_refused(parts: dict[str, bytes]) -> None:
    """A description has hundreds of bytes, and a table as many as it says."""
    stbl = (b"moov", b"trak", b"mdia", b"minf", b"stbl")
    for path in ((b"moov", b"udta"), (b"moov", b"mvhd"), (*stbl, b"stsd"), (*stbl, b"stsz"), (*stbl, b"stts")):
        for data, judge in ((parts["whole"], finished), (parts["video"], fragments)):
            assert not judge(grown(data, path, lambda payload: payload + bytes(8000)))
    assert not finished(grown(parts["whole"], (b"free",), lambda _: bytes(8000)))


def test_every_byte_is_a_samples(parts: dict[str, bytes]) -> None:
    """Nothing lies between fragments, behind them, among their samples, or behind the last box."""
    for data, judge in ((parts["whole"], finished), (parts["video"], fragments)):
        assert not judge(grown(data, (b"mdat",), lambda payload: payload + b"secret"))
        assert not judge(data + box(b"free", b"secret"))
        assert not judge(data + b"secret")
        assert not judge(box(b"free", b"secret") + data)
    video = parts["video"]
    second = video.index(b"moof", video.index(b"moof") + 4) - 4
    assert not fragments(video[:second] + box(b"free", b"secret") + video[second:])
    assert not fragments(grown(video, (b"moof",), lambda payload: payload + box(b"free", b"secret")))


def test_samples_lie_in_the_file(parts: dict[str, bytes]) -> None:
    """An index that points elsewhere is refused."""
    path = (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stco")
    for place in (bytes(4), b"\x7f\xff\xff\xff"):
        changed = grown(parts["whole"], path, lambda table, at=place: table[:8] + at + table[12:])  # type: ignore[misc]
        assert not finished(changed)


def test_every_cut_is_noticed(parts: dict[str, bytes]) -> None:
    """Wherever the file ends early."""
    whole = parts["whole"]
    assert not any(finished(whole[:end]) for end in range(0, len(whole), max(1, len(whole) // 500)))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_changed_bytes_are_judged(parts: dict[str, bytes], data: st.DataObject) -> None:
    """They pass or not, and nothing else is raised."""
    for name, judge in (("whole", finished), ("video", fragments)):
        changed = bytearray(parts[name])
        index = changed.index(b"mdat")
        for _ in range(data.draw(st.integers(1, 4))):
            changed[data.draw(st.integers(0, index))] = data.draw(st.integers(0, 255))
        judge(bytes(changed))
