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
from tests.support.jobs import make_plan
from workers.boxes import Fragmented, check_grid, read_fragmented
from workers.commands import frame_ticks, timescale

RATES = [Fraction(24_000, 1001), Fraction(25), Fraction(30_000, 1001), Fraction(60_000, 1001), Fraction(60)]
FRAMES, FIRST, GRID = 50, 120, 20

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
        -movflags +frag_keyframe+empty_moov+default_base_moof+negative_cts_offsets+frag_discont -f mp4 {path}"""
    subprocess.run(command.split(), check=True, timeout=60)


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
