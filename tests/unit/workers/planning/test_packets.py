"""Reading ffprobe's lists of packets: what real files say, and what files made to hurt say."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.listings import plain
from workers.planning.facts import parse_probe
from workers.planning.packets import Listing, Packets

VIDEO, OTHER = parse_probe(
    {"streams": [{"index": index, "has_b_frames": delay} for index, delay in ((0, 2), (1, 0))]}
).streams


def read(text: str) -> Packets:
    """Return what lines say without an index and a place, as those of a stream that reorders over two places."""
    return plain(Listing.of("".join(f"{VIDEO.index}|{placed(line)}\n" for line in text.splitlines())).pictures(VIDEO))


def placed(line: str) -> str:
    """Return the line with a place that is not known."""
    said, _, flags = line.rpartition("|")
    return f"{said}|N/A|{flags}"


def test_packets_come_in_the_order_of_the_file_and_only_those_that_are_shown() -> None:
    """Packets without a time, and those an edit list hides, do not count; B-frames arrive out of order."""
    text = (
        "0.100000|0.0|0.033333|K_\n0.066667|N/A|N/A|__\nN/A|N/A|0.033333|__\n"
        "0.000000|0.1|0.033333|_D\n0.033333|0.2|0.033333|K__\n|\n"
    )
    assert read(text) == Packets(
        places=(0, 1, 4),
        times=(0.1, 0.066667, 0.033333),
        lengths=(0.033333, 0.0, 0.033333),
        decoded=(0.0, 0.0, 0.2),
        keyframes=(0.033333, 0.1),
        sought=(0.033333, 0.0),
    )


def test_a_hidden_keyframe_can_be_decoded_from() -> None:
    """A keyframe that an edit list hides is no frame to show, but the shown ones after it need it."""
    text = "-0.033333|-0.066667|0.033333|KD_\n0.000000|N/A|0.033333|__\n0.033333|N/A|0.033333|__\n"
    found = read(text)
    assert (found.times, found.keyframes) == ((0.0, 0.033333), (-0.033333,))


def test_a_keyframe_is_sought_when_it_is_decoded() -> None:
    """Behind a pause that is long before it shows: seeking by the time it shows would pass it."""
    text = "0.00|-0.08|0.04|K_\n0.04|-0.04|0.04|__\n9.00|0.00|0.04|K_\n9.04|N/A|0.04|K_\n"
    found = read(text)
    assert (found.keyframes, found.sought) == ((0.0, 9.0, 9.04), (-0.08, 0.0, 9.04))


def test_a_packet_may_have_no_length() -> None:
    """Raw streams say no lengths."""
    assert read("0.5|0.5|N/A|K_\n") == Packets((0,), (0.5,), (0.0,), (0.5,), (0.5,), (0.5,))


@pytest.mark.parametrize("second", [0.0, 2000.0])
def test_a_picture_that_is_held_back_at_the_end_of_a_recording_is_not_of_the_next_one(second: float) -> None:
    """Program streams tell when pictures are decoded; of the last two nothing follows in their recording."""
    times = [*(0.04 * n for n in range(5)), *(second + 0.04 * n for n in range(5))]
    found = read("".join(f"N/A|{time:.6f}|0.04|__\n" for time in times))
    assert found.times == pytest.approx([time + 0.08 for time in times])


def test_no_packets_are_no_times() -> None:
    """A declared stream may hold nothing."""
    assert read("") == Packets()


def test_sound_without_times_follows_what_was_before() -> None:
    """Transport streams give the time of the first packet of several."""
    listing = Listing.of(
        "0|1.0|1.0|0.04|N/A|K_\n1|2.5|2.5|0.25|N/A|K_\n1|N/A|N/A|0.25|N/A|K_\n1|N/A|3.0|N/A|N/A|K_\n1|-0.1|N/A|0.1|N/A|KD\n"
    )
    found = plain(listing.sounds(OTHER))
    assert (found.places, found.times, found.lengths) == ((1, 2, 3), (2.5, 2.75, 3.0), (0.25, 0.25, 0.0))


def test_the_listing_knows_its_streams() -> None:
    """Which have packets at all, when a reader of the file meets one, and when the last of all ends."""
    listing = Listing.of("1|N/A|N/A|N/A|N/A|K_\n1|2.5|2.5|0.25|N/A|K_\n\n0|1.0|1.0|0.5|N/A|K_\nsomething|else\n")
    assert listing.streams == {0, 1}
    assert (listing.met_at(1), listing.met_at(7), listing.last_end()) == (2.5, None, 2.75)


def test_a_stream_is_met_where_the_file_has_it() -> None:
    """A muxer may write pictures of the first second behind two minutes of sound."""
    sound = "".join(f"1|{second}.0|{second}.0|1.0|N/A|K_\n" for second in range(120))
    listing = Listing.of(f"{sound}0|1.0|-9.0|0.5|N/A|__\n0|2.0|-8.0|0.5|N/A|K_\n1|120.0|120.0|1.0|N/A|K_\n")
    assert (listing.met_at(1), listing.met_at(0)) == (0.0, 119.0)


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
    assert len({len(column) for column in (found.places, found.times, found.lengths, found.decoded)}) == 1


def test_a_container_of_decoding_times_shows_pictures_later() -> None:
    """AVI has no other times: with two places of reordering the first picture shows when the third packet goes in."""
    text = "".join(f"N/A|{n / 25:.6f}|0.040000|{'K_' if n % 5 == 0 else '__'}\n" for n in range(10))
    found = read(text)
    assert found.times == pytest.approx([n / 25 for n in range(2, 12)])
    assert found.keyframes == pytest.approx([2 / 25, 7 / 25])
    assert found.lengths == (0.04,) * 10


def test_a_few_packets_without_a_time_are_damage() -> None:
    """One untimed packet in twenty changes nothing about the others."""
    lines = [f"{n / 25:.6f}|{n / 25:.6f}|0.04|K_" for n in range(20)]
    lines[7] = "N/A|0.28|0.04|__"
    assert len(read("\n".join(lines)).times) == 19


def test_other_streams_packets_do_not_count() -> None:
    """A listing has those of every stream, whichever turns out to be the one to encode; a cover's too."""
    listing = Listing.of("0|0.0|0.0|0.04|N/A|K_\n1|7.0|7.0|0.5|N/A|K_\n0|0.04|0.04|0.04|N/A|__\n")
    assert plain(listing.pictures(VIDEO)).times == (0.0, 0.04)
    assert plain(listing.pictures(OTHER)) == Packets((1,), (7.0,), (0.5,), (7.0,), (7.0,), (7.0,))
