"""Captions in the data of pictures (EIA-608 in A/53): which channels a file has, told by the bytes of some pictures.

No tool runs and nothing is decoded. Most files have none, and show that in a few places. Whoever sends captions sends
their room with every picture; so where there is room, places all over the file tell who uses it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import chain, islice

from storage.captions.a53 import Pair, has_captions, pairs_of
from storage.captions.line21 import captions_channel
from storage.model.plan import Plan
from storage.model.timed_text import MOST_SUBTITLES
from workers.planning.headers.byte_ranges import Ranges
from workers.planning.known_bytes import KnownBytes
from workers.planning.packets import Listing, Packets
from workers.planning.subtitles import caption_sources

CAPTIONED_CODECS = frozenset({"h264", "hevc", "mpeg2video"})
# A read of a store costs some milliseconds: files without captions take four of them.
FIRST_PLACES = 4
# Of files with captions: a second channel speaks at a tenth of its pictures at least, and 64 miss that one time in 800.
PLACES = 64
PLACE_BYTES = 16 * 1024  # the data stand ahead of the picture itself; beside them there may be packets of sound
# A file up to this size is read whole instead. It takes a second at most.
WHOLE_BYTES = 32 * 1024**2
# A channel is one that is told so often: commands come twice, so one alone is noise, or of a packet that was cut.
FEWEST_COMMANDS = 2
MOST_PAIRS = 500_000  # of which the first are looked at: two hours of them; crafted files have twenty times more


def with_captions(
    plan: Plan, pictures: Packets, listing: Listing, file: Ranges, known: KnownBytes | None = None
) -> Plan:
    """Return the plan with a track for each channel of captions in the pictures, behind the other tracks of text.

    None is taken where the clock is joined or counted, or pictures have no times but those of decoding: it could not be
    told when they show. They stay in the pictures then. Of a file that is arriving only what is `known` is looked at.
    """
    video = plan.video
    if video.codec not in CAPTIONED_CODECS or video.pieces or video.counted_rate or pictures.by_decoding:
        return plan

    def parts(count: int) -> Iterator[bytes]:
        places = listing.places_of(video.stream, count)
        return (file.read(at, PLACE_BYTES) for at in (known.of_keyframes(places) if known else places))

    channels = _channels(file, parts) if any(map(has_captions, parts(FIRST_PLACES))) else []
    added = caption_sources(video.stream, video.codec, channels)
    return replace(plan, subtitles=(*plan.subtitles, *added)[:MOST_SUBTITLES])


def _channels(file: Ranges, parts: Callable[[int], Iterator[bytes]]) -> list[int]:
    """Return the channels in use. Of a file that is not read whole the first one is among them if it has any room."""
    is_whole = file.size <= WHOLE_BYTES
    read = file.chunks(0, file.size) if is_whole else parts(PLACES)
    pairs: list[Pair] = list(islice(chain.from_iterable(map(pairs_of, read)), MOST_PAIRS))
    told = Counter(map(captions_channel, pairs))
    found = {channel for channel, count in told.items() if channel is not None and count >= FEWEST_COMMANDS}
    return sorted(found if is_whole or not pairs else found | {1})
