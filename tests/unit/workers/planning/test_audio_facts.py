"""Sound that changes on its way: what ffprobe prints of it, and what a plan makes of that."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support import listings
from tests.unit.workers.planning.test_make_plan import LIMITS, SECOND, probed, sound, video
from workers.planning.audio_facts import FOLLOWING_SECONDS, Heard, parse_heard, sound_changes
from workers.planning.make_plan import choose_video, make_plan

MONO, STEREO = Heard(1.4, 1, 48_000, 100), Heard(9.0, 2, 48_000, 900)


def line(time: float, *, channels: int = 2, samples: int = 1152, seconds: float = 0.024, place: str = "N/A") -> str:
    """Return a line of ffprobe; newer ones call the length otherwise."""
    said = f"best_effort_timestamp_time={time:.6f}|pkt_pos={place}|nb_samples={samples}|channels={channels}"
    return f"{said}|duration_time={seconds}\n"


def test_sound_is_read_with_the_place_of_the_packet_before_it() -> None:
    """Transport streams hold several packets together, and tell the place of the first."""
    text = line(1.0, place="564") + line(1.024) + line(1.048) + line(90.0, place="N/A") + line(90.024)
    assert parse_heard(text) == (
        *(Heard(time, 2, 48_000, 564) for time in (1.024, 1.048)),
        Heard(90.024, 2, 48_000, None),
    )


def test_what_does_not_go_on_is_not_believed() -> None:
    """Half of a packet at the place that was sought may decode to anything."""
    assert parse_heard(line(1.0, channels=1) + line(1.024) + line(1.0 + 3 * FOLLOWING_SECONDS)) == ()


@pytest.mark.parametrize(
    ("samples", "seconds", "rate"),
    [(1152, 0.026122, 44_100), (1152, 0.026, 44_100), (1024, 0.021, 48_000), (1024, 0.0, 0), (1024, 0.06, 0)],
)
def test_the_rate_is_told_by_the_length_of_packets(samples: int, seconds: float, rate: int) -> None:
    """Containers round it; a length that fits no usual rate says nothing."""
    (found,) = parse_heard(line(0, samples=samples, seconds=seconds) + line(0.02, samples=samples, seconds=seconds))
    assert found.rate == rate


@given(st.text(max_size=200))
def test_nothing_printed_breaks_it(text: str) -> None:
    """Whatever a hostile file makes ffprobe print."""
    parse_heard(text)
    parse_heard(f"channels=2|{text}\n" * 2)


def test_a_change_is_told_once_with_both_formats() -> None:
    """The first one, at its place in the video; sound of an unknown rate is no change."""
    heard = (MONO, replace(MONO, time=2.0, rate=0), STEREO, MONO)
    (told,) = sound_changes(heard, start=1.4)
    assert (told.code, told.values) == (
        "sound_changes", {"at": 7.6, "channels": 1, "to_channels": 2, "rate": 48_000, "to_rate": 48_000},
    )  # fmt: skip
    assert sound_changes((MONO, MONO), start=0.0) == ()


@pytest.mark.parametrize(
    ("channels", "layout", "heard", "made"),
    [
        (1, "mono", (MONO, STEREO), (2, 2, True)),
        (2, "stereo", (STEREO, MONO), (2, 2, True)),
        (2, "downmix", (STEREO, MONO), (2, 2, False)),
        (2, "stereo", (STEREO, replace(STEREO, channels=6)), (2, 6, False)),
        (1, "mono", (MONO,), (1, 1, False)),
        (1, "mono", (), (1, 1, False)),
    ],
)
def test_the_result_has_the_channels_of_every_part(
    channels: int, layout: str, heard: tuple[Heard, ...], made: tuple[int, int, bool]
) -> None:
    """Mono at the beginning does not make all that follows mono."""
    probe = probed(video(), sound(channels=channels, channel_layout=layout))
    plan, _ = make_plan(probe, choose_video(probe), listings.interleaved(SECOND), LIMITS, (), heard)
    (audio,) = plan.audio
    assert (audio.channels, audio.source_channels, audio.partly_mono) == made
