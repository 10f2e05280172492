"""What counts as damage, from facts as ffprobe and ffmpeg tell them; what only looks like it does not."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest

from storage.model.damage import Damage, DamageKind
from storage.model.plan import ClockPiece
from tests.support.jobs import make_plan
from workers.damage.detection import on_timeline, pictures_damage, sound_damage
from workers.damage.tool_output import (
    NO_TIME,
    DecodedAudio,
    DecodedPictures,
    Packet,
    concealed,
    is_of_container,
    joined,
    parse_checksums,
    parse_decoded_audio,
    parse_decoded_pictures,
    parse_packets,
    speaks_of_source,
    with_corrupt,
)

MISSING, REPAIRED, SILENT = DamageKind.PICTURES_MISSING, DamageKind.PICTURES_REPAIRED, DamageKind.SOUND_MISSING
STEP = 0.04


def a_listing(
    count: int = 50, *, gone: tuple[int, ...] = (), undecoded: tuple[int, ...] = (), corrupt: tuple[int, ...] = ()
) -> DecodedPictures:
    """Return 25 pictures a second: some `gone` with their packets, some only with packets, packets that are corrupt."""
    numbers = [number for number in range(count) if number not in gone]
    packets = tuple(
        Packet(round(number * STEP, 6), str(1000 + number), key=number % 25 == 0, corrupt=number in corrupt)
        for number in numbers
    )
    shown = [number for number in numbers if number not in undecoded]
    return DecodedPictures(
        packets=packets,
        shown=tuple(round(number * STEP, 6) for number in shown),
        places=frozenset(str(1000 + number) for number in shown),
        complained=(),
    )


def places(found: DecodedPictures, repaired: tuple[float, ...] | None = ()) -> list[tuple[DamageKind, float, float]]:
    """Return the damage as rounded rows."""
    return rows(pictures_damage(found, repaired))


def rows(damage: Iterable[Damage]) -> list[tuple[DamageKind, float, float]]:
    """Return each place of damage as its kind and rounded seconds."""
    return [(place.kind, round(place.start, 3), round(place.seconds, 3)) for place in damage]


def test_intact_pictures_are_no_damage() -> None:
    """Every packet gave a picture."""
    assert places(a_listing()) == []
    assert places(a_listing(), None) == []


def test_packets_without_a_picture_are_missing_ones() -> None:
    """One, several in a row, and the last ones."""
    assert places(a_listing(undecoded=(10, 20, 21, 22, 48, 49))) == [
        (MISSING, 0.4, 0.04),
        (MISSING, 0.8, 0.12),
        (MISSING, 1.92, 0.08),
    ]


def test_a_gap_is_damage_only_where_the_container_shows_a_loss() -> None:
    """A pause of the recording is none, however long; one beside a packet that lost a part is."""
    gone = tuple(range(10, 20))
    assert places(a_listing(gone=gone)) == []
    assert places(a_listing(gone=gone, corrupt=(9,))) == [(MISSING, 0.4, 0.4)]
    assert places(a_listing(gone=gone, corrupt=(40,))) == []
    assert places(replace(a_listing(gone=gone), lossy=True)) == [(MISSING, 0.4, 0.4)]


def test_pictures_that_do_not_come_steadily_may_pause_in_a_lossy_file() -> None:
    """Where a container only says that something was lost, pauses of a screen recording stay pauses."""
    pauses = tuple(number for number in range(200) if number % 10 > 5)
    assert places(replace(a_listing(200, gone=pauses), lossy=True)) == []


def test_a_recording_that_begins_in_the_midst_of_a_stream_is_not_damaged() -> None:
    """What comes before the first keyframe cannot be decoded by anybody."""
    whole = a_listing(undecoded=(0, 1, 2, 3, 4))
    packets = tuple(replace(packet, key=packet.time == pytest.approx(0.2)) for packet in whole.packets)
    assert places(replace(whole, packets=packets)) == []
    assert places(whole) == [(MISSING, 0.0, 0.2)]


def test_a_torn_last_picture_is_told_by_the_warning_of_truncation() -> None:
    """A file that was cut off ends in half a picture."""
    assert places(a_listing(undecoded=(49,), corrupt=(49,))) == []


def test_a_gap_may_go_on_behind_what_was_looked_at() -> None:
    """A segment sees its part of a gap, whose last packet before it is a torn one; a pause goes on as well."""
    torn = a_listing(corrupt=(49,))
    assert rows(pictures_damage(torn, (), until=5.0)) == [(MISSING, 2.0, 3.0)]
    assert list(pictures_damage(a_listing(), (), until=5.0)) == []


def test_concealed_pictures_are_repaired() -> None:
    """Those that are other without concealment; what a decoder says does not matter then."""
    known = replace(a_listing(), complained=(5,))
    assert places(known, (0.4, 0.44)) == [(REPAIRED, 0.4, 0.04), (REPAIRED, 0.44, 0.04)]


def test_errors_count_where_nothing_is_concealed() -> None:
    """Pictures at which the decoder logged an error, and of which the container lost a part."""
    known = replace(a_listing(corrupt=(30,)), complained=(5, 5))
    assert places(known, None) == [(REPAIRED, 0.2, 0.04), (REPAIRED, 1.2, 0.04)]


def test_what_is_said_at_every_picture_is_a_habit() -> None:
    """Cameras write headers that a decoder grumbles at each time; their pictures are whole."""
    assert places(replace(a_listing(), complained=tuple(range(50))), None) == []


def test_fields_in_packets_of_their_own_are_not_missing() -> None:
    """Two packets a picture, the second without one."""
    whole = a_listing(corrupt=(30,))
    fields = tuple(
        part
        for packet in whole.packets
        for part in (packet, Packet(packet.time + STEP / 2, packet.place + "f", key=False))
    )
    assert places(replace(whole, packets=fields)) == []


def test_a_listing_is_read_in_its_order() -> None:
    """Packets, the pictures that come of them, and errors beside the packet that was decoded."""
    text = (
        "packet|pts_time=0.000000|dts_time=-0.04|pos=48|flags=K_\n"
        "packet|pts_time=N/A|dts_time=0.040000|pos=96|flags=__\n"
        "frame|best_effort_timestamp_time=0.000000|pkt_pos=48||side_data|\n"
        "packet|pts_time=0.08|dts_time=0.08|pos=N/A|flags=_D\n"
        "packet|pts_time=nonsense|pos=99\n"
        "frame|best_effort_timestamp_time=0.040000|pkt_pos=96|log|category=6\nlog|category=6\n\n"
        "frame|best_effort_timestamp_time=N/A|pkt_pos=N/A|log|category=7\n"
    )
    assert parse_decoded_pictures(text) == DecodedPictures(
        packets=(Packet(0.0, "48", key=True), Packet(0.04, "96", key=False)),
        shown=(0.0, 0.04),
        places=frozenset({"48", "96"}),
        complained=(1, 1),
    )
    assert parse_packets(text) == (Packet(0.0, "48", key=True), Packet(0.04, "96", key=False))


def test_a_place_that_packets_share_tells_nothing() -> None:
    """Pages of Ogg hold many packets at one place."""
    text = "".join(f"packet|pts_time={n}|pos=10|flags=__\n" for n in range(3)) + "frame|pkt_pos=10\n"
    assert parse_decoded_pictures(text).places == frozenset()


def test_packets_that_are_left_out_as_incomplete_are_corrupt() -> None:
    """But not the last one of a recording that another was joined to: its clock begins anew."""
    packets = [Packet(time, str(time), key=False) for time in (8.0, 8.04, 8.08, 0.0, 0.04, 30.0)]
    marked = with_corrupt(packets, [packets[0], packets[3], packets[5]])
    assert [packet.corrupt for packet in marked] == [False, True, False, False, True, False]


def test_checksums_tell_concealed_pictures() -> None:
    """Pictures at the same time with another sum; comments, and rows that are none, are passed over."""
    text = "#tb 0: 1/1000000\n0, 0, 0, 1, 86400, 0x01\n0, 40000, 40000, 1, 86400, 0x02\n0, NOPTS\n"
    assert parse_checksums(text) == {0: "0x01", 40000: "0x02"}
    assert concealed({0: "a", 40000: "b", 80000: "c"}, {0: "a", 40000: "x"}, 1_000_000) == (0.04,)


def test_a_clock_that_begins_anew_is_joined() -> None:
    """Packets and pictures of both parts stand one behind the other; what is in neither has no time."""
    pieces = (ClockPiece(1.0, 2.0, 1.0), ClockPiece(1.0, 1.5, 0.0))
    packets = tuple(Packet(time, str(time), key=False) for time in (1.0, 1.9, 7.0, 1.1, 1.4))
    both = joined(DecodedPictures(packets, (1.0, 1.9, 1.1, 1.4), frozenset(), ()), pieces)
    assert [packet.time for packet in both.packets] == pytest.approx([0.0, 0.9, NO_TIME, 1.1, 1.4])
    assert both.shown == pytest.approx((0.0, 0.9, 1.1, 1.4))


def heard_lines(*rows: tuple[int, int]) -> list[str]:
    """Return lines as ffmpeg lists sound: when a piece begins and how many samples it has."""
    return ["#tb 0: 1/48000", "#sample_rate 0: 48000", *(f"0, {at}, {at}, {count}, {count}, 0x1" for at, count in rows)]


def test_holes_are_heard() -> None:
    """Where the next piece begins later than the one before ended; overlaps and jitter are none."""
    found = parse_decoded_audio(heard_lines((4800, 1024), (5824, 1024), (11648, 1024), (12672, 1024), (13700, 1024)))
    assert found is not None
    assert (found.start, found.end) == pytest.approx((0.1, 14724 / 48000))
    assert [pytest.approx(hole) for hole in found.holes] == [(6848 / 48000, 11648 / 48000)]
    assert parse_decoded_audio(heard_lines()) is None


def test_a_stray_time_is_no_hole() -> None:
    """Ffmpeg lets no time go back: behind a stray one all pieces have its time."""
    found = parse_decoded_audio(heard_lines((0, 1024), (802_482, 1024), (802_482, 1024), (802_482, 1024)))
    assert found is not None
    assert found.holes == ()


@pytest.mark.parametrize(
    ("codec", "length", "packets", "told"),
    [
        ("aac", 0.2, (), True),
        ("pcm_s24le", 0.2, (), True),
        ("aac", 0.09, (), False),
        ("opus", 5.0, (), False),  # nobody spoke
        ("amr_nb", 5.0, (), False),
        ("opus", 5.0, (Packet(2.5, "1", key=True),), True),  # a packet that gave no sound
        ("aac", 0.03, (Packet(1.99, "1", key=True, corrupt=True),), True),
    ],
)
def test_holes_that_are_damage(codec: str, length: float, packets: tuple[Packet, ...], told: bool) -> None:  # noqa: FBT001
    """Steady codecs have no pauses of their own; others only miss what the container shows as lost."""
    heard = DecodedAudio(0.0, 10.0, ((2.0, 2.0 + length),))
    inside = (Packet(0.0, "0", key=True), *packets) if packets else ()
    assert rows(sound_damage(heard, codec, inside)) == ([(SILENT, 2.0, length)] if told else [])


def test_a_first_piece_ahead_of_the_rest_is_no_hole() -> None:
    """Phones begin so; a track that comes late or ends early has no hole either."""
    assert list(sound_damage(DecodedAudio(3.0, 10.0, ((3.021, 3.176),)), "aac", ())) == []


def test_a_hole_where_recordings_meet_is_none() -> None:
    """The sound of the next part begins late, or that of the one before ended early."""
    holes = DecodedAudio(0.0, 20.0, ((2.0, 3.0), (8.0, 10.0)))
    assert list(sound_damage(holes, "aac", (), joins=[8.1])) == [Damage(SILENT, 2.0, 1.0)]
    assert list(sound_damage(holes, "aac", (), joins=[10.02])) == [Damage(SILENT, 2.0, 1.0)]
    assert len(list(sound_damage(holes, "aac", (), joins=[10.2]))) == 2


def test_sound_that_could_not_be_decoded_at_the_ends_is_missing() -> None:
    """Packets before the first sound and behind the last one."""
    packets = tuple(Packet(float(n), str(n), key=True) for n in range(11))
    found = list(sound_damage(DecodedAudio(2.0, 9.0, ()), "aac", packets))
    assert found == [Damage(SILENT, 0.0, 2.0), Damage(SILENT, 9.0, 1.0)]


def test_places_are_cut_to_the_segment_and_begin_at_the_timeline() -> None:
    """Each segment tells what lies within it, on the job's timeline."""
    plan = replace(make_plan(), rate_num=25, rate_den=1)
    found = [Damage(MISSING, 0.9, 1.2), Damage(MISSING, 9.0, 1.0)]
    assert rows(on_timeline(found, plan, 25, 50)) == [(MISSING, 1.0, 0.6)]


@pytest.mark.parametrize(
    ("line", "speaks"),
    [
        ("[h264 @ 0x55d65013d6c0] error while decoding MB 0 29, bytestream 64839", True),
        ("[mpegts @ 0x1] Packet corrupt (stream = 0, dts = 5).", True),
        ("[vist#0:0/h264 @ 0x1] [dec:h264 @ 0x2] corrupt decoded frame", True),
        ("Error while decoding stream #0:0: Invalid data found when processing input", True),
        ("[swscaler @ 0x1] deprecated pixel format used, make sure you did set range correctly", False),
        ("[libx264 @ 0x1] something of the encoder", False),
        ("[vost#0:0/libx264 @ 0x1] something of the encoder", False),
        ("    Last message repeated 3 times", False),
        ("Guessed Channel Layout for Input Stream #0.1 : mono", False),
        ("[hevc @ 0x1] Could not find ref with POC 70", False),  # after seeking in a stream
        ("", False),
    ],
)
def test_who_speaks_of_the_source(line: str, speaks: bool) -> None:  # noqa: FBT001
    """Whatever is not about what is made makes us look; it never says what is found."""
    assert speaks_of_source(line) is speaks


def test_who_reads_the_container() -> None:
    """Names of demuxers, not of decoders."""
    assert is_of_container("[ogg @ 0x1] CRC mismatch!")
    assert is_of_container("[matroska,webm @ 0x1] Invalid track number 5")
    assert not is_of_container("[h264 @ 0x1] error")
    assert not is_of_container("matroska without a bracket")
