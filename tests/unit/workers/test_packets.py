"""Reading ffprobe's lists of packets: what real files say, and what files made to hurt say."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.packets import PacketTimes, packet_times
from workers.probe import parse_probe

VIDEO, OTHER = parse_probe(
    {"streams": [{"index": index, "has_b_frames": delay} for index, delay in ((0, 2), (1, 0))]}
).streams


def read(text: str) -> PacketTimes:
    """Return what lines without an index say, as those of a stream that reorders over two places."""
    return packet_times("".join(f"{VIDEO.index}|{line}\n" for line in text.splitlines()), VIDEO)


def test_packets_come_sorted_and_only_those_that_are_shown() -> None:
    """Packets without a time, and those an edit list hides, do not count; B-frames arrive out of order."""
    text = (
        "0.100000|0.0|0.033333|K_\n0.066667|N/A|N/A|__\nN/A|N/A|0.033333|__\n"
        "0.000000|0.1|0.033333|_D\n0.033333|0.2|0.033333|K__\n|\n"
    )
    assert read(text) == PacketTimes(times=(0.033333, 0.066667, 0.1), last_duration=0.033333, keyframes=(0.033333, 0.1))


def test_a_hidden_keyframe_can_be_decoded_from() -> None:
    """A keyframe that an edit list hides is no frame to show, but the shown ones after it need it."""
    text = "-0.033333|-0.066667|0.033333|KD_\n0.000000|N/A|0.033333|__\n0.033333|N/A|0.033333|__\n"
    assert read(text) == PacketTimes(times=(0.0, 0.033333), last_duration=0.033333, keyframes=(-0.033333,))


def test_the_last_shown_packet_may_have_no_length() -> None:
    """Raw streams say no lengths."""
    assert read("0.5|0.5|N/A|K_\n") == PacketTimes(times=(0.5,), last_duration=None, keyframes=(0.5,))


def test_no_packets_are_no_times() -> None:
    """A declared stream may hold nothing."""
    assert read("") == PacketTimes(times=(), last_duration=None, keyframes=())


LINES = st.lists(
    st.tuples(
        st.one_of(st.just("N/A"), st.floats(-1e9, 1e9).map(lambda time: f"{time:.6f}")),
        st.just("N/A"),
        st.one_of(st.just("N/A"), st.floats(0, 100).map(lambda time: f"{time:.6f}")),
        st.text("KDC_", min_size=2, max_size=3),
    )
)


@given(LINES)
def test_any_packet_list_is_read(packets: list[tuple[str, str, str, str]]) -> None:
    """Every packet with a time that is not to be discarded is counted, in order."""
    found = read("\n".join("|".join(packet) for packet in packets))
    assert len(found.times) == sum(time != "N/A" and "D" not in flags for time, _, _, flags in packets)
    assert list(found.times) == sorted(found.times)


def test_a_container_of_decoding_times_shows_pictures_later() -> None:
    """AVI has no other times: with two places of reordering the first picture shows when the third packet goes in."""
    text = "".join(f"N/A|{n / 25:.6f}|0.040000|{'K_' if n % 5 == 0 else '__'}\n" for n in range(10))
    found = read(text)
    assert found.times == pytest.approx([n / 25 for n in range(2, 12)])
    assert found.keyframes == pytest.approx([2 / 25, 7 / 25])
    assert found.last_duration == 0.04


def test_a_few_packets_without_a_time_are_damage() -> None:
    """One untimed packet in twenty changes nothing about the others."""
    lines = [f"{n / 25:.6f}|{n / 25:.6f}|0.04|K_" for n in range(20)]
    lines[7] = "N/A|0.28|0.04|__"
    assert len(read("\n".join(lines)).times) == 19


def test_other_streams_packets_do_not_count() -> None:
    """A listing has those of every video stream, whichever turns out to be the one to encode; a cover's too."""
    listing = "0|0.0|0.0|0.04|K_\n1|7.0|7.0|0.5|K_\n0|0.04|0.04|0.04|__\n"
    assert packet_times(listing, VIDEO).times == (0.0, 0.04)
    assert packet_times(listing, OTHER) == PacketTimes((7.0,), 0.5, (7.0,))
