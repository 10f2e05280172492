"""Reading a media playlist as a player does: its init section and its fragments by byte range."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path


@dataclass(frozen=True)
class Fetched:
    """One fragment: its bytes, and how long the playlist says it lasts (seconds)."""

    data: bytes
    seconds: Fraction


@dataclass(frozen=True)
class MediaPlaylist:
    """A media playlist with everything it names."""

    init: bytes
    fragments: tuple[Fetched, ...]

    @property
    def whole(self) -> bytes:
        """Init section and all fragments one behind the other: a valid file."""
        return self.init + b"".join(fragment.data for fragment in self.fragments)


def read_playlist(path: Path) -> MediaPlaylist:
    """Return what the playlist on this disk names; fail where it names bytes that are not there."""
    init, fragments = b"", list[Fetched]()
    seconds, place, length = Fraction(0), 0, 0
    for line in path.read_text().splitlines():
        tag, _, value = line.partition(":")
        if tag == "#EXT-X-MAP":
            init = path.with_name(value.partition('"')[2].rstrip('"')).read_bytes()
        elif tag == "#EXTINF":
            seconds = Fraction(value.rstrip(","))
        elif tag == "#EXT-X-BYTERANGE":
            length, place = (int(part) for part in value.split("@"))
        elif line and not line.startswith("#"):
            data = path.with_name(line).read_bytes()[place : place + length]
            assert len(data) == length
            fragments.append(Fetched(data, seconds))
    assert init
    assert fragments
    return MediaPlaylist(init, tuple(fragments))
