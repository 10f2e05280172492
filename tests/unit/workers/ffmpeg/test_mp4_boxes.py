"""Reading the encoder's files: real ones made by ffmpeg, cut-off ones, and bytes that are no file at all."""

from __future__ import annotations

import struct
import subprocess
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storage.errors import OutputMismatchError
from tests.support.fragments import read_fragmented
from tests.support.jobs import make_plan
from workers.ffmpeg.commands import frame_ticks, timescale
from workers.ffmpeg.mp4_boxes import Fragmented, Piece, check_grid, codec_of, grouped, unturned

RATES = [Fraction(24_000, 1001), Fraction(25), Fraction(30_000, 1001), Fraction(60_000, 1001), Fraction(60)]
FRAMES, FIRST, GRID = 50, 120, 20
TICKS = 10

Fragments = Callable[[Fraction], Path]


def ticks_of(rate: Fraction) -> tuple[int, int]:
    """Return timescale and frame length, as the commands use them for this rate."""
    plan = replace(make_plan(), rate_num=rate.numerator, rate_den=rate.denominator)
    return timescale(plan), frame_ticks(plan)


@pytest.fixture(scope="module")
def fragments(tmp_path_factory: pytest.TempPathFactory) -> Fragments:
    """Give a factory of files as the segment command writes them: B-frames, 50 frames from frame 120 on."""
    folder = tmp_path_factory.mktemp("fragments")

    def make(rate: Fraction) -> Path:
        path = folder / f"{rate.numerator}_{rate.denominator}.mp4"
        if not path.exists():
            _encode(path, rate)
        return path

    return make


def _encode(path: Path, rate: Fraction) -> None:
    scale, _ = ticks_of(rate)
    source = f"testsrc2=size=64x48:rate={rate.numerator}/{rate.denominator},setpts=N+{FIRST}"
    command = f"""ffmpeg -nostdin -v error -y -f lavfi -i {source} -frames:v {FRAMES} -c:v libx264 -bf 3 -g {GRID}
        -force_key_frames expr:not(mod(n,{GRID})) -pix_fmt yuv420p -copyts -video_track_timescale {scale}
        -avoid_negative_ts disabled -use_editlist 0
        -movflags +frag_keyframe+empty_moov+default_base_moof+negative_cts_offsets+frag_discont+skip_trailer
        -f mp4 {path}"""
    subprocess.run(command.split(), check=True, timeout=60)


def pieces(*times: int | tuple[int, ...]) -> Fragmented:
    """Return what a file says whose pieces hold these times, 100 bytes each."""
    parts = [(time,) if isinstance(time, int) else time for time in times]
    placed = (Piece(100 * n, 100 * n + 100, part, TICKS * len(part)) for n, part in enumerate(parts, start=1))
    return Fragmented(init_bytes=100, pieces=tuple(placed))


@pytest.mark.parametrize("rate", RATES, ids=str)
def test_times_of_real_files_are_exact(fragments: Fragments, rate: Fraction) -> None:
    """Every frame of a file with B-frames lies exactly on the grid, at the /1001 rates too."""
    found = read_fragmented(fragments(rate))
    assert len(found.pieces) == 3
    check_grid(found, first=FIRST, frames=FRAMES, ticks=ticks_of(rate)[1])


def test_the_initialisation_section_ends_where_the_first_fragment_begins(fragments: Fragments) -> None:
    """What is cut off is ftyp and moov, and what follows is a moof."""
    path = fragments(Fraction(25))
    found, data = read_fragmented(path), path.read_bytes()
    assert data[4:8] == b"ftyp"
    assert data[found.init_bytes + 4 : found.init_bytes + 8] == b"moof"


@pytest.mark.parametrize(
    ("first", "frames", "ticks", "said"),
    [
        (FIRST + 1, FRAMES, 1, "Frame 121 lies at tick"),
        (0, FRAMES, 1, "Frame 0 lies at tick"),
        (FIRST, FRAMES - 1, 1, "50 frames were encoded, 49 were planned"),
        (FIRST, FRAMES + 1, 1, "50 frames were encoded, 51 were planned"),
        (FIRST, FRAMES, 2, "Frame 120 lies at tick"),
    ],
)
def test_what_is_not_planned_is_said(fragments: Fragments, first: int, frames: int, ticks: int, said: str) -> None:
    """A wrong first frame, count or length is a mismatch that names both figures."""
    found = read_fragmented(fragments(Fraction(25)))
    with pytest.raises(OutputMismatchError, match=said):
        check_grid(found, first=first, frames=frames, ticks=ticks * ticks_of(Fraction(25))[1])


def test_a_hole_in_the_middle_is_found() -> None:
    """Two frames at the same time, or one missing, do not pass because the count is right."""
    with pytest.raises(OutputMismatchError, match="Frame 2 lies at tick 10"):
        check_grid(pieces(0, 10, 10, 30), first=0, frames=4, ticks=10)


def test_pieces_say_where_they_lie_and_how_long_they_last(fragments: Fragments) -> None:
    """They follow each other without a gap from the init section to the file's end, each as long as its frames."""
    path, (_, ticks) = fragments(Fraction(25)), ticks_of(Fraction(25))
    found = read_fragmented(path)
    assert [piece.start for piece in found.pieces] == [found.init_bytes, *(piece.end for piece in found.pieces[:-1])]
    assert found.pieces[-1].end == path.stat().st_size
    assert [len(piece.times) for piece in found.pieces] == [GRID, GRID, FRAMES - 2 * GRID]
    assert [piece.ticks for piece in found.pieces] == [ticks * len(piece.times) for piece in found.pieces]


def test_a_growing_file_is_read_to_its_last_whole_piece(fragments: Fragments, tmp_path: Path) -> None:
    """Wherever the encoder has got to, what is complete is exactly what the whole file begins with."""
    path, target = fragments(Fraction(25)), tmp_path / "growing.mp4"
    whole, data = read_fragmented(path), path.read_bytes()
    for end in range(0, len(data), 97):
        target.write_bytes(data[:end])
        found = read_fragmented(target, growing=True)
        assert found.pieces == tuple(piece for piece in whole.pieces if piece.end <= end)
        assert found.init_bytes <= min(end, whole.init_bytes)
        if found.pieces:
            assert found.init_bytes == whole.init_bytes


def test_a_growing_file_may_be_wrong_nevertheless(tmp_path: Path) -> None:
    """A box that is smaller than its own header is no unfinished one."""
    path = tmp_path / "wrong.mp4"
    path.write_bytes(FTYP + struct.pack(">I4s", 4, b"moof"))
    with pytest.raises(OutputMismatchError):
        read_fragmented(path, growing=True)


@pytest.mark.parametrize(
    ("found", "sizes"),
    [
        (pieces((50, 70, 60), (80, 90)), (100, 100)),
        (pieces((50, 60), 70, (80, 90)), (200, 100)),  # a scene cut inside the first fragment
        (pieces(50, (70, 60), (80, 90), 100), (200, 200)),
        (pieces((50, 60, 70, 80), 90), None),  # no keyframe where the second fragment begins
        (pieces((60, 70), (80, 90)), None),  # the segment begins a frame too late
        (pieces((50, 60, 70), (80, 90), 110), (100, 200)),
    ],
)
def test_pieces_are_gathered_to_fragments(found: Fragmented, sizes: tuple[int, ...] | None) -> None:
    """A fragment begins on the grid of three frames, with a keyframe there; keyframes in between do not count."""
    if sizes is None:
        with pytest.raises(OutputMismatchError):
            grouped(found, first=5, frames=3, ticks=TICKS)
    else:
        assert grouped(found, first=5, frames=3, ticks=TICKS) == sizes


def test_fragments_of_a_real_file_are_all_of_it(fragments: Fragments) -> None:
    """Its fragments are all the bytes behind its init section, also where the grid is coarser than its keyframes."""
    path, (_, ticks) = fragments(Fraction(25)), ticks_of(Fraction(25))
    found = read_fragmented(path)
    for frames, count in ((GRID, 3), (2 * GRID, 2), (3 * GRID, 1)):
        sizes = grouped(found, first=FIRST, frames=frames, ticks=ticks)
        assert len(sizes) == count
        assert sum(sizes) == path.stat().st_size - found.init_bytes


def test_the_codec_is_named_as_playlists_want_it(fragments: Fragments, tmp_path: Path) -> None:
    """Profile and level of H.264 as ffprobe finds them, in hexadecimal; AAC-LC has a fixed name."""
    path = fragments(Fraction(25))
    asked = ["ffprobe", "-v", "error", "-show_entries", "stream=profile,level", "-of", "csv=p=0"]
    profile, level = subprocess.run([*asked, path], check=True, capture_output=True, text=True).stdout.split(",")
    codec = codec_of(path.read_bytes()[: read_fragmented(path).init_bytes])
    assert profile == "High"
    assert codec.startswith("avc1.6400")
    assert int(codec[-2:], 16) == int(level)
    sound = tmp_path / "sound.mp4"
    made = "ffmpeg -nostdin -v error -f lavfi -i sine=duration=1 -c:a aac -movflags +empty_moov+default_base_moof"
    subprocess.run([*made.split(), str(sound)], check=True, timeout=60)
    assert codec_of(sound.read_bytes()[: read_fragmented(sound).init_bytes]) == "mp4a.40.2"


def test_every_cut_is_noticed(fragments: Fragments, tmp_path: Path) -> None:
    """Wherever the file ends early, it is refused or has fewer frames: never is half a file taken for a whole one."""
    data = fragments(Fraction(25)).read_bytes()
    target = tmp_path / "cut.mp4"
    for end in range(0, len(data), 97):
        target.write_bytes(data[:end])
        try:
            found = read_fragmented(target)
        except OutputMismatchError:
            continue
        assert len(found.times) in {0, GRID, 2 * GRID, FRAMES}


def box(kind: bytes, *contents: bytes) -> bytes:
    """Return a box around these contents."""
    payload = b"".join(contents)
    return struct.pack(">I4s", len(payload) + 8, kind) + payload


FTYP = box(b"ftyp", b"iso5")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x00" * 8,
        FTYP[:-1],
        FTYP + b"\x00\x00\x00",
        FTYP + struct.pack(">I4s", 1, b"mdat"),
        FTYP + struct.pack(">I4sQ", 1, b"mdat", 2**63),
        FTYP + struct.pack(">I4s", 4, b"moof"),
        FTYP + box(b"moof", box(b"traf", box(b"tfdt"))),
        FTYP + box(b"moof", box(b"traf", box(b"tfdt", b"\x01\x00\x00\x00\x00"))),
        FTYP + box(b"moof", box(b"traf", box(b"tfhd", b"\x00\x00\x00\x08"))),
        FTYP + box(b"moof", box(b"traf", box(b"trun", struct.pack(">II", 0xF00, 5)))),
        FTYP + box(b"moof", box(b"traf", box(b"trun", struct.pack(">II", 0, 0xFFFFFFFF)))),
        FTYP + box(b"moof", box(b"traf", box(b"trun", struct.pack(">II", 0, 1)))),
        box(b"mdat", b"x"),
    ],
    ids=[
        "empty",
        "zeros",
        "cut box",
        "cut header",
        "cut long size",
        "too long",
        "shorter than its header",
        "empty tfdt",
        "short tfdt",
        "short tfhd",
        "short trun",
        "four thousand million frames",
        "frames without contents",
        "no beginning",
    ],
)
def test_what_is_no_whole_file_is_a_mismatch(data: bytes, tmp_path: Path) -> None:
    """Bytes that do not hold what they announce are refused by our own error, and at once."""
    path = tmp_path / "broken.mp4"
    path.write_bytes(data)
    with pytest.raises(OutputMismatchError):
        read_fragmented(path)


KINDS = st.sampled_from([b"ftyp", b"moov", b"moof", b"traf", b"tfhd", b"tfdt", b"trun", b"mdat", b"free"])
BOXES = st.recursive(
    st.builds(box, KINDS, st.binary(max_size=40)),
    lambda inner: st.builds(box, KINDS, inner, inner),
    max_leaves=8,
)


def read_or_refuse(path: Path, data: bytes) -> None:
    """Read the bytes as a file; anything but an answer or our own error fails the test."""
    path.write_bytes(data)
    try:
        read_fragmented(path)
    except OutputMismatchError:
        return


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.one_of(st.binary(max_size=300), st.lists(BOXES, max_size=4).map(b"".join)))
def test_no_bytes_crash_the_reader(data: bytes, tmp_path: Path) -> None:
    """Noise, and boxes with noise in them, are read or refused."""
    read_or_refuse(tmp_path / "noise.mp4", data)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), min_size=1, max_size=20))
def test_no_changed_byte_crashes_the_reader(
    changes: list[tuple[int, int]], fragments: Fragments, tmp_path: Path
) -> None:
    """A real file with some bytes changed is read or refused."""
    data = bytearray(fragments(Fraction(25)).read_bytes())
    for place, value in changes:
        data[place % len(data)] = value
    read_or_refuse(tmp_path / "changed.mp4", bytes(data))


@pytest.mark.parametrize("version", [0, 1])
def test_a_track_is_shown_as_it_is(version: int, fragments: Fragments) -> None:
    """The source's turn, which ffmpeg copies to pictures that are upright, goes; nothing else does."""
    times = bytes(32 if version else 20)
    head = bytes([version, 0, 0, 3]) + times + bytes(16)
    as_it_is = struct.pack(">9i", 1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30)
    by_quarter = struct.pack(">9i", 0, 1 << 16, 0, -1 << 16, 0, 0, 0, 0, 1 << 30)
    before, after = box(b"ftyp"), struct.pack(">2I", 320 << 16, 180 << 16)
    section = before + box(b"moov", box(b"trak", box(b"tkhd", head, by_quarter, after)))
    assert unturned(section) == section.replace(by_quarter, as_it_is)
    assert unturned(unturned(section)) == unturned(section)
    path = fragments(Fraction(25))
    real = path.read_bytes()[: read_fragmented(path).init_bytes]
    assert unturned(real) == real


@pytest.mark.parametrize("section", [b"", box(b"ftyp"), box(b"moov", box(b"trak", box(b"tkhd", bytes(60))))])
def test_a_section_without_a_track_is_a_mismatch(section: bytes) -> None:
    """Rather than to be written over somewhere."""
    with pytest.raises(OutputMismatchError):
        unturned(section)
