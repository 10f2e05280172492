"""Captions in the data of pictures (EIA-608 in A/53): which channels a file has, told by bytes from all over it.

No tool runs and nothing is decoded. Most files have none. Broadcasts have room for them in every picture, used or not;
programs that stream live write them into a picture a second, and only while somebody speaks.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain, islice

from storage.captions.a53 import Pair, has_captions, pairs_of
from storage.captions.line21 import captions_channel
from storage.model.plan import Plan
from storage.model.timed_text import MOST_SUBTITLES
from workers.planning.headers.byte_ranges import Ranges
from workers.planning.packets import Packets
from workers.planning.subtitles import caption_sources

CAPTIONED_CODECS = frozenset({"h264", "hevc", "mpeg2video"})
PART_BYTES = 1024**2  # of a broadcast half a second
# Files without captions take so many reads: four milliseconds of work, and as many answers of a store.
FIRST_PARTS = 4
# Of files with captions, or of so many parts, that are read whole. A second channel that speaks does so in every other
# part at least.
PARTS = 16
# A channel is one that is told so often: commands come twice, so one alone is noise, or of a packet that was cut.
FEWEST_COMMANDS = 2
MOST_PAIRS = 500_000  # of which the first are looked at: two hours of them; crafted files have twenty times more


def with_captions(plan: Plan, pictures: Packets, file: Ranges, size: int) -> Plan:
    """Return the plan with a track for each channel of captions in the pictures, behind the other tracks of text.

    None is taken where the clock is joined or counted, or pictures have no times but those of decoding: it could not be
    told when they show. They stay in the pictures then. Only the first `size` bytes are looked at: what has arrived.
    """
    video = plan.video
    if video.codec not in CAPTIONED_CODECS or video.pieces or video.counted_rate or pictures.by_decoding:
        return plan
    added = caption_sources(video.stream, video.codec, _channels(file, size))
    return replace(plan, subtitles=(*plan.subtitles, *added)[:MOST_SUBTITLES])


def _channels(file: Ranges, size: int) -> list[int]:
    """Return the channels in use. Of a file that is not read whole the first one is among them if it has any room."""
    is_whole = size <= PARTS * PART_BYTES
    if not is_whole and not any(map(has_captions, _parts(file, size, FIRST_PARTS))):
        return []
    pairs: list[Pair] = list(islice(chain.from_iterable(map(pairs_of, _parts(file, size, PARTS))), MOST_PAIRS))
    told = Counter(map(captions_channel, pairs))
    found = {channel for channel, count in told.items() if channel is not None and count >= FEWEST_COMMANDS}
    return sorted(found if is_whole or not pairs else found | {1})


def _parts(file: Ranges, size: int, count: int) -> Iterator[bytes]:
    """Yield parts of a file from its beginning to its end; all of it where that is not more."""
    step = max(PART_BYTES, (size - PART_BYTES) / (count - 1))
    begins = (round(step * number) for number in range(count))
    return chain.from_iterable(file.chunks(begin, min(begin + PART_BYTES, size)) for begin in begins)
