"""The rules of HLS that a finished stream keeps, each with its section, as far as playlists and files tell.

Sections are those of RFC 8216, which its successor keeps; "Apple" is Apple's authoring specification, by its topics.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from pathlib import Path

MAP_VERSION = 6  # section 7: the first one with init sections beside pictures that are all keyframes
_ATTRIBUTE = re.compile(r'([A-Z0-9-]+)=("[^"\r\n]*"|[^",\s][^,]*)(?:,|$)')
_TAG = re.compile(r"[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?")  # BCP 47, as far as we write it
_TOLERANCE = 1.1  # Apple, declared and measured bandwidths: a peak is at most a tenth above what is declared
_APART = Fraction(1, 2)  # Apple, segments: renditions of one stream are as long as each other, to half a second


@dataclass(frozen=True)
class Playlist:
    """A playlist on this disk."""

    path: Path

    @cached_property
    def lines(self) -> list[str]:
        """Its lines."""
        return self.path.read_text().splitlines()

    def values(self, tag: str) -> list[str]:
        """What stands behind each of these tags."""
        return [line.partition(":")[2] for line in self.lines if line.partition(":")[0] == f"#{tag}"]

    @cached_property
    def media(self) -> list[dict[str, str]]:
        """The attributes of each EXT-X-MEDIA."""
        return [_attributes(value) for value in self.values("EXT-X-MEDIA")]

    @cached_property
    def variants(self) -> list[tuple[dict[str, str], str]]:
        """The attributes of each variant, and its address."""
        pairs = zip(self.lines, [*self.lines[1:], ""], strict=True)
        tag = "#EXT-X-STREAM-INF:"
        return [(_attributes(line.removeprefix(tag)), uri) for line, uri in pairs if line.startswith(tag)]

    def at(self, uri: str) -> Playlist:
        """The playlist of this relative address."""
        return Playlist(self.path.parent / uri)

    @cached_property
    def durations(self) -> list[Fraction]:
        """How long each segment lasts, in seconds."""
        return [Fraction(value.split(",")[0]) for value in self.values("EXTINF")]

    @cached_property
    def all_below(self) -> dict[str, Playlist]:
        """All media playlists that a master names, by address."""
        uris = [uri for _, uri in self.variants] + [media["URI"] for media in self.media if "URI" in media]
        return {uri: self.at(uri) for uri in uris}

    @property
    def peak(self) -> float:
        """The highest rate of a segment in bits/s; those below half the target duration do not count."""
        (target,) = self.values("EXT-X-TARGETDURATION")
        sizes = (int(value.partition("@")[0]) for value in self.values("EXT-X-BYTERANGE"))
        parts = zip(sizes, self.durations, strict=True)
        return float(max((8 * size / length for size, length in parts if 2 * length >= int(target)), default=0))

    @property
    def is_text(self) -> bool:
        """Whether its segments are WebVTT."""
        return any(line.endswith(".vtt") for line in self.lines)


def _attributes(value: str) -> dict[str, str]:
    return {name: text.strip('"') for name, text in _ATTRIBUTE.findall(value)}


def _first_line(master: Playlist) -> Iterator[str]:
    for name, playlist in {"master": master, **master.all_below}.items():
        if playlist.lines[0] != "#EXTM3U":
            yield name


def _one_version(master: Playlist) -> Iterator[str]:
    for name, playlist in {"master": master, **master.all_below}.items():
        versions = playlist.values("EXT-X-VERSION")
        if len(versions) != 1 or (playlist.values("EXT-X-MAP") and int(versions[0]) < MAP_VERSION):
            yield f"{name}: {versions}"


def _target_duration(master: Playlist) -> Iterator[str]:
    for name, playlist in master.all_below.items():
        (target,) = playlist.values("EXT-X-TARGETDURATION")
        if any(round(seconds) > int(target) for seconds in playlist.durations):
            yield f"{name}: {target} s, and a segment of {float(max(playlist.durations))} s"


def _same_target(master: Playlist) -> Iterator[str]:
    targets = {name: one.values("EXT-X-TARGETDURATION")[0] for name, one in master.all_below.items() if not one.is_text}
    if len(set(targets.values())) > 1:
        yield str(targets)


def _ended(master: Playlist) -> Iterator[str]:
    for name, playlist in master.all_below.items():
        if playlist.values("EXT-X-PLAYLIST-TYPE") != ["VOD"] or playlist.lines[-1] != "#EXT-X-ENDLIST":
            yield name


def _mapped(master: Playlist) -> Iterator[str]:
    for name, playlist in master.all_below.items():
        if playlist.is_text == bool(playlist.values("EXT-X-MAP")):
            yield name


def _members(master: Playlist) -> Iterator[str]:
    for media in master.media:
        missing = {"TYPE", "GROUP-ID", "NAME", "URI"} - media.keys()
        if missing:
            yield f"{media} lacks {missing}"
        if media.get("DEFAULT") == "YES" and media.get("AUTOSELECT", "YES") != "YES":
            yield f"{media['NAME']}: the default is not selected by itself"
        if "FORCED" in media and media["TYPE"] != "SUBTITLES":
            yield f"{media['NAME']}: forced"


def _groups(master: Playlist) -> Iterator[str]:
    names = Counter((media["TYPE"], media["GROUP-ID"], media["NAME"]) for media in master.media)
    yield from (f"{name} stands twice" for name, count in names.items() if count > 1)
    defaults = Counter((one["TYPE"], one["GROUP-ID"]) for one in master.media if one.get("DEFAULT") == "YES")
    yield from (f"{group} has {count} defaults" for group, count in defaults.items() if count > 1)
    for kind in {media["TYPE"] for media in master.media}:
        sets = dict[str, set[str]]()
        for media in master.media:
            if media["TYPE"] == kind:
                sets.setdefault(media["GROUP-ID"], set()).add(media["NAME"])
        if len({frozenset(members) for members in sets.values()}) > 1:
            yield f"groups of {kind} differ: {sets}"


def _named_groups(master: Playlist) -> Iterator[str]:
    groups = {(media["TYPE"], media["GROUP-ID"]) for media in master.media}
    for variant, uri in master.variants:
        for kind in ("AUDIO", "SUBTITLES"):
            if kind in variant and (kind, variant[kind]) not in groups:
                yield f"{uri}: {kind} {variant[kind]}"
            if kind not in variant and any(group[0] == kind for group in groups):
                yield f"{uri} names no group of {kind}"


def _languages(master: Playlist) -> Iterator[str]:
    for media in master.media:
        if "LANGUAGE" in media and not _TAG.fullmatch(media["LANGUAGE"]):
            yield media["LANGUAGE"]


def _told_of_variants(master: Playlist) -> Iterator[str]:
    wanted = {"BANDWIDTH", "AVERAGE-BANDWIDTH", "CODECS", "RESOLUTION", "FRAME-RATE"}
    for variant, uri in master.variants:
        if missing := wanted - variant.keys():
            yield f"{uri} lacks {missing}"
        codecs = variant["CODECS"].split(",")
        if ("AUDIO" in variant) != any(codec.startswith("mp4a") for codec in codecs):
            yield f"{uri}: {codecs}"


def _captions_in_pictures(master: Playlist) -> Iterator[str]:
    told = {variant.get("CLOSED-CAPTIONS") for variant, _ in master.variants}
    if told not in ({None}, {"NONE"}):
        yield str(told)


def _channels(master: Playlist) -> Iterator[str]:
    for media in master.media:
        if media["TYPE"] == "AUDIO" and not media.get("CHANNELS", "").isdecimal():
            yield media["NAME"]


def _bandwidths(master: Playlist) -> Iterator[str]:
    for variant, uri in master.variants:
        group = [one["URI"] for one in master.media if one["GROUP-ID"] == variant.get("AUDIO")]
        measured = master.at(uri).peak + max((master.at(name).peak for name in group), default=0.0)
        if measured > _TOLERANCE * int(variant["BANDWIDTH"]):
            yield f"{uri}: {measured:.0f} bits/s, {variant['BANDWIDTH']} declared"


def _aligned(master: Playlist) -> Iterator[str]:
    if len({tuple(master.at(uri).durations) for _, uri in master.variants}) > 1:
        yield "variants are cut at different places"
    lengths = {name: sum(one.durations) for name, one in master.all_below.items()}
    if max(lengths.values()) - min(lengths.values()) > _APART:
        yield str({name: float(length) for name, length in lengths.items()})


def _texts(master: Playlist) -> Iterator[str]:
    for name, playlist in master.all_below.items():
        for line in playlist.lines:
            if line.endswith(".vtt"):
                head = (playlist.path.parent / line).read_text().split("\n")[:2]
                if head[0] != "WEBVTT" or not head[1].startswith("X-TIMESTAMP-MAP="):
                    yield f"{name}: {line}"


RULES: tuple[tuple[str, Callable[[Playlist], Iterator[str]]], ...] = (
    ("4.3.1.1: every playlist begins with EXTM3U", _first_line),
    ("4.3.1.2 and 7: one version, of 6 at least where there are init sections", _one_version),
    ("4.3.3.1: no segment, rounded, is longer than the target duration", _target_duration),
    ("6.2.4: all but subtitles have the same target duration", _same_target),
    ("4.3.3.4 and 4.3.3.5: what is ready is VOD and ends", _ended),
    ("4.3.2.5: fragments have an init section, texts none", _mapped),
    ("4.3.4.1: what each rendition must say, and must not", _members),
    ("4.3.4.1.1: names are unique in a group, one default, groups of a type alike", _groups),
    ("4.3.4.2.1: variants name groups that are there", _named_groups),
    ("4.3.4.1: languages are tags of RFC 5646", _languages),
    ("4.3.4.2 and Apple, multivariant playlists: what variants say, codecs of all that they name", _told_of_variants),
    ("4.3.4.2: if one variant has no captions in its pictures, none has any", _captions_in_pictures),
    ("Apple, audio: renditions say their channels", _channels),
    ("4.3.4.2 and Apple, declared bandwidths: peaks", _bandwidths),
    ("6.2.4 and Apple, segments: variants are cut alike, renditions are as long", _aligned),
    ("3.5: each segment of WebVTT says how its clock lies", _texts),
)


def broken_rules(master: Path) -> list[str]:
    """Return what breaks a rule in a finished stream, given its master playlist on this disk."""
    playlist = Playlist(master)
    return [f"{rule}: {fault}" for rule, check in RULES for fault in check(playlist)]
