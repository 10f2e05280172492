"""What a tool left of captions in pictures: read in the order in which they show, in bounds, whatever it is."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storage.captions.cues import Cue
from storage.errors import OutputMismatchError
from storage.subtitle_errors import SubtitleTooLargeError
from tests.support.jobs import make_plan
from tests.support.line21 import ERASE, SHOW, cc_data, command, message, page, row
from workers.stages.picture_captions import MOST_PAIRS, READ_BYTES, caption_cues, captions_bytes

PLAN = make_plan(segments=1, frames=300)
SPOKEN = [*page(row(15, "Hello there")), *command(SHOW), *[b"\0\0"] * 20, *command(ERASE)]
SHOWN, GONE = len(page(row(15, "Hello there"))), len(SPOKEN) - 2
HEAD = "#software: Lavf\n#tb 0: 1/25\n#media_type 0: video\n"


def left(folder: Path, pictures: Sequence[tuple[int, bytes]], head: str = HEAD) -> Path:
    """Write what a tool leaves: pictures with their times, in the order in which they are decoded."""
    (folder / "captions.data").write_bytes(b"".join(data for _, data in pictures))
    lines = "".join(f"0, {time:10}, {time:10},     1, {len(data):8}, 0x01234567\n" for time, data in pictures)
    (folder / "captions.times").write_text(head + lines)
    return folder


def said() -> list[tuple[int, bytes]]:
    """Return the pictures of a page that is shown and erased."""
    return [(time, message(cc_data(pair, b"\0\0"))) for time, pair in enumerate(SPOKEN)]


def test_pictures_are_read_as_they_show(tmp_path: Path) -> None:
    """B-frames stand behind what they show before; a picture without any time says nothing, nor do other lines."""
    pictures = said()
    decoded = [pictures[n] for at in range(0, len(pictures), 3) for n in (at + 2, at, at + 1) if n < len(pictures)]
    decoded.insert(7, (-(2**63), message(cc_data(b"xx", b"\0\0"))))
    folder = left(tmp_path, decoded, HEAD + "1, what is this\n")
    assert list(caption_cues(folder, PLAN, 1)) == [Cue(SHOWN * 40, GONE * 40, "Hello there")]
    assert list(caption_cues(folder, PLAN, 2)) == list(caption_cues(folder, PLAN, 3)) == []


def test_a_picture_without_a_time_shows_behind_its_decoding(tmp_path: Path) -> None:
    """As others do: some programs that stream give none to pictures with captions."""
    whole = b"".join(message(cc_data(pair, b"\0\0")) for pair in page(row(15, "Hello"))) + message(
        cc_data(command(SHOW)[0], b"\0\0")
    )
    left(tmp_path, [(10, b"\x11"), (11, whole), (12, b"\x11")])
    lines = [(7, 10, 1), (8, -(2**63), len(whole)), (9, 13, 1)]
    told = "".join(f"0, {decoded}, {time}, 1, {size}, 0x0\n" for decoded, time, size in lines)
    (tmp_path / "captions.times").write_text(HEAD + told)
    assert [(cue.start, cue.text) for cue in caption_cues(tmp_path, PLAN, 1)] == [(11 * 40, "Hello")]


def test_data_that_are_cut_off_are_too_many(tmp_path: Path) -> None:
    """The tool stops where it may write no more."""
    folder = left(tmp_path, said())
    data = (folder / "captions.data").read_bytes()
    (folder / "captions.data").write_bytes(data[:-20])
    with pytest.raises(SubtitleTooLargeError):
        list(caption_cues(folder, PLAN, 1))


def test_a_long_unit_is_passed_over(tmp_path: Path) -> None:
    """What follows it is found."""
    pictures = said()
    pictures.insert(5, (4, b"\x11" * (READ_BYTES + 1000)))
    assert len(list(caption_cues(left(tmp_path, pictures), PLAN, 1))) == 1


def test_more_pairs_than_a_recording_has_are_too_many(tmp_path: Path) -> None:
    """However they lie in its pictures."""
    each = message(cc_data(b"ab", b"cd")) * 100
    count = round(MOST_PAIRS * (PLAN.duration + 60) / 200) + 1
    with pytest.raises(SubtitleTooLargeError):
        list(caption_cues(left(tmp_path, [(n, each) for n in range(count)]), make_plan(segments=1, frames=300), 1))


def test_what_no_tool_of_ours_leaves(tmp_path: Path) -> None:
    """Nothing, links, more than there is room for."""
    with pytest.raises(OutputMismatchError):
        list(caption_cues(tmp_path, PLAN, 1))
    folder = left(tmp_path, said())
    (folder / "captions.data").write_bytes(bytes(captions_bytes(PLAN) + 1))
    with pytest.raises(OutputMismatchError):
        list(caption_cues(folder, PLAN, 1))
    (folder / "captions.data").unlink()
    (folder / "captions.data").symlink_to("/etc/passwd")
    with pytest.raises(OutputMismatchError):
        list(caption_cues(folder, PLAN, 1))


LINES = st.one_of(
    st.text(max_size=30),
    st.from_regex(r"#tb 0: -?[0-9]{1,12}/[0-9]{1,12}\n"),
    st.from_regex(r"0, -?[0-9]{1,20}, -?[0-9]{1,20}, 1, [0-9]{1,10}, 0x0\n"),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(LINES, max_size=20), st.binary(max_size=300))
def test_whatever_is_left(tmp_path: Path, lines: list[str], data: bytes) -> None:
    """It is cues, or one of two errors that cost the track alone."""
    (tmp_path / "captions.data").write_bytes(data + message(cc_data(b"\x14\x2f", b"\0\0")))
    (tmp_path / "captions.times").write_bytes("".join(lines).encode())
    try:
        found = list(caption_cues(tmp_path, PLAN, 1))
    except (SubtitleTooLargeError, OutputMismatchError):
        return
    assert all(cue.start <= cue.end for cue in found)
