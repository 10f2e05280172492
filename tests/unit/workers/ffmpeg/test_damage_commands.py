"""The commands that look for damage, whole, one argument a line as they were reviewed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from storage.model.plan import ClockPiece, Segment
from tests.support.jobs import SOUND, make_plan
from workers.ffmpeg.damage_commands import (
    checksums_command,
    looked_until,
    packets_command,
    pictures_command,
    whole_packets_command,
)
from workers.sandbox.allowed_inputs import input_arguments

PLAN = replace(make_plan(segments=2, frames=100), rate_num=25, rate_den=1)
MIDDLE, LAST = Segment(0, 0, 100, 1), Segment(1, 100, 100, 1, seek=2.5)
PATH = "/store/original"
ASKED = ["ffprobe", "-v", "error", *input_arguments(PATH), "-of", "compact", "-select_streams"]
PACKET = "packet=pts_time,dts_time,pos,flags"


def test_pictures_are_listed_with_packets_and_errors() -> None:
    """From the segment's seek point to a little behind it, or to an end behind that of every file."""
    entries = f"{PACKET}:frame=best_effort_timestamp_time,pkt_pos:log=category"
    shown = ["-show_packets", "-show_frames", "-show_entries", entries, f"file:{PATH}"]
    assert pictures_command(PLAN, MIDDLE, PATH) == [
        *ASKED, "0", "-show_log", "16", "-read_intervals", "%6.500000", *shown
    ]  # fmt: skip
    assert pictures_command(PLAN, LAST, PATH) == [
        *ASKED, "0", "-show_log", "16", "-read_intervals", "2.500000%1000000000", *shown
    ]  # fmt: skip


def test_a_whole_file_has_no_interval() -> None:
    """Nothing is left out, so there is nothing to ask for."""
    whole = Segment(0, 0, 200, 1)
    assert looked_until(PLAN, whole) is None
    assert whole_packets_command(PLAN, whole, PATH) == [
        *ASKED, "0", "-fflags", "+discardcorrupt", "-show_packets", "-show_entries", PACKET, f"file:{PATH}"
    ]  # fmt: skip


def test_sound_is_listed_by_packets_alone() -> None:
    """All of the track, or only what is complete."""
    shown = ["-show_packets", "-show_entries", PACKET, f"file:{PATH}"]
    assert packets_command(SOUND, PATH, whole=False) == [*ASKED, "1", *shown]
    assert packets_command(SOUND, PATH, whole=True) == [*ASKED, "1", "-fflags", "+discardcorrupt", *shown]


def test_pictures_are_decoded_with_and_without_concealment() -> None:
    """Both from the same place, in one thread, on the joined clock where the file's jumps."""
    command = checksums_command(PLAN, LAST, PATH, Path("/scratch/a"), Path("/scratch/b"))
    inputs = " ".join(command).split(f" -i file:{PATH}")
    assert len(inputs) == 3
    assert [text.count("-ec 0") for text in inputs] == [0, 1, 0]
    assert [text.count("-threads 1") for text in inputs] == [1, 1, 0]
    assert [text.count("-ss 2.500000") for text in inputs] == [1, 1, 0]
    for target in ("/scratch/a", "/scratch/b"):
        place = command.index(target)
        outputs = command[place - 8 : place]
        assert outputs == [
            "-f", "framecrc", "-c:v", "rawvideo", "-enc_time_base", "1:1000000", "-fps_mode", "passthrough"
        ]  # fmt: skip
    pieces = replace(PLAN, video=replace(PLAN.video, pieces=(ClockPiece(0, 1, 0), ClockPiece(0, 1, -1))))
    assert "select" in " ".join(checksums_command(pieces, LAST, PATH, Path("/a"), Path("/b")))
