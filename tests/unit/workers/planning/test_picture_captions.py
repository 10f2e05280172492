"""Which channels of captions a file has: told by few of its bytes, in files large and small, honest and not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.model.early import EarlyPlan
from storage.model.plan import ClockPiece, Plan
from storage.model.timed_text import MOST_SUBTITLES, SubtitleSource, SubtitleTrack
from tests.support.jobs import make_plan
from tests.support.line21 import SHOW, cc_data, command, letters, message, page, row
from workers.planning.headers.byte_ranges import Ranges
from workers.planning.packets import Packets
from workers.planning.picture_captions import FIRST_PARTS, PART_BYTES, PARTS, with_captions

NOTHING = b"\0\0"
SPOKEN = page(row(15, "Hello")) + command(SHOW)
OTHER = page(row(15, "Hola", 3), channel=3) + command(SHOW, 3)
LARGE = PARTS * PART_BYTES // 100  # bytes of a picture of which a hundred are too much to be read whole


class Clip:
    """A file of pictures of so many bytes that say these pairs of both fields; what is read of it is counted."""

    def __init__(self, said: Sequence[tuple[bytes, ...]], picture_bytes: int = 2000) -> None:
        self.heads = [message(cc_data(*pairs)) if pairs else b"" for pairs in said]
        self.size = picture_bytes
        self.reads = 0

    def fetch(self, start: int, length: int) -> bytes:
        """Return bytes of the file, which is nowhere as a whole."""
        self.reads += 1
        numbers = range(start // self.size, (start + length - 1) // self.size + 1)
        pictures = b"".join(head.ljust(self.size, b"\x11") for head in self.heads[numbers.start : numbers.stop])
        return pictures[start - numbers.start * self.size :][:length]

    def planned(self, plan: Plan | None = None, arrived: int | None = None, codec: str = "h264") -> Plan:
        """Return the plan of the file, of which so many bytes have arrived."""
        plan = plan or make_plan()
        plan = replace(plan, video=replace(plan.video, codec=codec))
        file = Ranges(self.fetch, self.size * len(self.heads))
        return with_captions(plan, Packets(), file, file.size if arrived is None else arrived)


def channels(plan: Plan) -> list[int]:
    """Return the channels that a plan takes."""
    return [source.channel for source in plan.subtitles]


def both(first: Sequence[bytes], second: Sequence[bytes], count: int = 100) -> list[tuple[bytes, bytes]]:
    """Return what pictures say, over and over."""
    return [(first[n % len(first)], second[n % len(second)]) for n in range(count)]


@pytest.mark.parametrize("codec", ["h264", "hevc", "mpeg2video"])
def test_each_channel_that_speaks_is_a_track(codec: str) -> None:
    """Behind those of the file, for people who hear little, in no language that anybody tells."""
    of_file = SubtitleSource(SubtitleTrack("0", "en"), 2, "subrip")
    plan = Clip(both(SPOKEN, OTHER)).planned(replace(make_plan(), subtitles=(of_file,)), codec=codec)
    assert plan.subtitles == (
        of_file,
        SubtitleSource(SubtitleTrack("cc1", title="CC1", sdh=True), 0, codec, 1),
        SubtitleSource(SubtitleTrack("cc3", title="CC3", sdh=True), 0, codec, 3),
    )
    assert plan.takes_captions


def test_fillings_are_no_captions() -> None:
    """A file that is read whole tells it; in a larger one somebody may speak where nobody looked."""
    assert channels(Clip(both([NOTHING], [NOTHING])).planned()) == []
    assert channels(Clip(both([NOTHING], [NOTHING]), LARGE + 1).planned()) == [1]


def test_letters_alone_and_programme_guides_are_no_channel() -> None:
    """Nor is a single command: it may be noise."""
    guide = [b"\x01\x03", *letters("A title"), b"\x0f\x1d"]
    assert channels(Clip(both(SPOKEN, guide)).planned()) == [1]
    assert channels(Clip(both([b"\x14\x2f", *[b"ab"] * 99], [NOTHING])).planned()) == []


def test_large_files_are_looked_at_in_parts() -> None:
    """Captions that begin late are found, and a second channel that speaks now and then."""
    silent = [(NOTHING, NOTHING)] * 1000
    clip = Clip([*silent, *both(SPOKEN, [*[NOTHING] * 12, *OTHER], 1000)], LARGE)
    assert channels(clip.planned()) == [1, 3]
    assert clip.reads <= FIRST_PARTS + PARTS


def test_captions_need_not_be_in_every_picture() -> None:
    """Programs that stream write a whole page into one picture a second, each command once."""
    said = b"".join(message(cc_data(pair, NOTHING)) for pair in SPOKEN)
    clip = Clip([()] * 3000, 12_500)
    clip.heads = [said if n % 30 == 7 else b"" for n in range(3000)]
    assert channels(clip.planned()) == [1]


def test_a_file_without_captions_costs_four_reads() -> None:
    """However long it is. Of other codecs nothing is read."""
    clip = Clip([()] * 1000, 1_000_000)
    assert (channels(clip.planned()), clip.reads) == ([], FIRST_PARTS)
    clip = Clip(both(SPOKEN, OTHER))
    assert (channels(clip.planned(codec="av1")), clip.reads) == ([], 0)


def test_captions_without_a_clock_stay_in_the_pictures() -> None:
    """Where parts are joined, pictures are counted, or times are those of decoding."""
    clip, plan = Clip(both(SPOKEN, OTHER)), make_plan()
    joined = replace(plan, video=replace(plan.video, pieces=(ClockPiece(0.0, 4.0, 0.0),)))
    counted = replace(plan, video=replace(plan.video, counted_rate=(25, 1)))
    assert channels(clip.planned(joined)) == channels(clip.planned(counted)) == []
    file = Ranges(clip.fetch, 200_000)
    assert with_captions(plan, Packets(by_decoding=True), file, file.size) == plan


def test_a_file_that_is_arriving_is_looked_at_as_far_as_it_is_there() -> None:
    """And what is guessed of it counts only if the whole file says the same: segments are encoded otherwise."""
    clip = Clip([*both(SPOKEN, [NOTHING]), *both(SPOKEN, OTHER)], 1000)
    early = clip.planned(arrived=50_000)
    assert channels(early) == [1]
    assert channels(clip.planned()) == [1, 3]
    assert channels(clip.planned(arrived=10)) == []
    guess = EarlyPlan(early, (), (), None, 1, 1.0)
    assert guess.same_as(replace(early, subtitles=early.subtitles * 2), ())
    assert not guess.same_as(replace(early, subtitles=()), ())


def test_there_are_only_so_many_tracks() -> None:
    """Captions for which there is no room stay in the pictures."""
    of_file = tuple(SubtitleSource(SubtitleTrack(str(n)), 2 + n, "subrip") for n in range(MOST_SUBTITLES))
    assert not Clip(both(SPOKEN, OTHER)).planned(replace(make_plan(), subtitles=of_file)).takes_captions


@given(st.lists(st.binary(max_size=60), max_size=20))
def test_whatever_pictures_say(heads: list[bytes]) -> None:
    """The plan names channels that there are."""
    clip = Clip([()])
    clip.heads = [b"\xb5\x00\x31GA94\x03" + head for head in heads]
    assert set(channels(clip.planned())) <= {1, 2, 3, 4}
