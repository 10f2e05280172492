"""How much of a file a segment needs, for any order of packets."""

from __future__ import annotations

import math
from array import array
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.model.plan import ClockPiece, Segment
from tests.support.jobs import make_plan
from workers.ffmpeg.needed_bytes import DELAYED_PACKETS, LOOKED_BYTES, needed_of_segments, needed_of_sound
from workers.planning.packet_columns import Columns
from workers.planning.packets import Listing

PACKET = 50_000  # bytes of one, so that what is looked at in the beginning is not the whole
PLAN = make_plan(segments=3, frames=100, audio=True)
SECONDS = float(PLAN.frames / PLAN.rate)
SEGMENTS = tuple(Segment(index, index * PLAN.frames // 3, PLAN.frames // 3, 1) for index in range(3))


def columns(times: list[float], places: list[int]) -> Columns:
    """Return packets of a stream that lie in these places of the file."""
    told, positions = array("d", times), array("q", [PACKET * place for place in places])
    return Columns(array("q", range(len(times))), told, told, told, positions, bytearray(len(times)))


@given(
    times=st.lists(st.floats(-2.0, 12.0), min_size=1, max_size=300),
    order=st.randoms(use_true_random=False),
    beside=st.lists(st.integers(0, 200), max_size=30),
)
def test_what_a_segment_shows_has_come(times: list[float], order: Random, beside: list[int]) -> None:
    """All packets of its pictures, and those that a decoder wants behind them; later segments need no less."""
    places = list(range(len(times)))
    order.shuffle(places)
    size = PACKET * max([*places, *beside]) + PACKET
    streams = {PLAN.video.stream: (times, places), 9: ([0.0] * len(beside), beside)}
    listing = Listing({index: columns(*packets) for index, packets in streams.items()})
    needed = needed_of_segments(PLAN, SEGMENTS, listing, size)
    assert list(needed) == sorted(needed)
    for segment, come in zip(SEGMENTS, needed, strict=True):
        assert 0 < come <= size
        end = PLAN.video.start_time + float((segment.first_frame + segment.frames) / PLAN.rate)
        last = max((number for number, time in enumerate(times) if time < end), default=-1)
        assert all(PACKET * place < come for place in places[: last + DELAYED_PACKETS])


@pytest.mark.parametrize(("a_second", "least"), [(1, 5 + DELAYED_PACKETS), (20, LOOKED_BYTES // PACKET)])
def test_what_tools_look_through_first_has_come(a_second: int, least: int) -> None:
    """Five megabytes of pictures or five seconds, whichever is less, though a segment shows but one."""
    count = 300
    listing = Listing({PLAN.video.stream: columns([number / a_second for number in range(count)], list(range(count)))})
    (needed,) = needed_of_segments(PLAN, (Segment(0, 0, 1, 1),), listing, PACKET * count)
    assert least < needed // PACKET <= least + 2


def test_what_cannot_be_told_needs_all_of_the_file() -> None:
    """Clocks that jump, packets without a time, tracks without packets."""
    listing = Listing({PLAN.video.stream: columns([0.0, 1.0, 2.0], [0, 1, 2])})
    jumping = replace(PLAN, video=replace(PLAN.video, pieces=(ClockPiece(0.0, 1.0, 0.0),)))
    untimed = Listing({PLAN.video.stream: columns([0.0, math.nan, 2.0], [0, 1, 2])})
    for plan, packets in ((jumping, listing), (PLAN, untimed), (PLAN, Listing({}))):
        assert needed_of_segments(plan, SEGMENTS, packets, 777) == (777,) * 3


def test_the_sound_needs_its_last_packet() -> None:
    """Up to where the next one of any track begins."""
    (audio,) = PLAN.audio
    packets = {PLAN.video.stream: columns([0.0, 9.0], [0, 5]), audio.stream: columns([0.0, 1.0], [1, 3])}
    assert needed_of_sound(PLAN, Listing(packets), 9 * PACKET) == 5 * PACKET
    assert needed_of_sound(PLAN, Listing({}), 777) == 777
    assert needed_of_sound(replace(PLAN, audio=()), Listing(packets), 777) == 0
