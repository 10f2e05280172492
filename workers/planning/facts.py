"""What ffprobe says of an upload, as typed facts: the container and its streams. Pure."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from storage.media_errors import NotMediaError
from storage.model.plan import ROLES, Crop
from workers.planning.chapters import ToldChapter, told_chapters
from workers.planning.headers.tracks import Description
from workers.planning.raw_streams import FASTEST, RAW_CONTAINERS
from workers.planning.rotation import Orientation, turn_told
from workers.planning.stream_kinds import kind_of

# Dolby Vision profiles that may have a base picture nothing else can show (HEVC, AV1, stereoscopic HEVC); theirs is
# such a one if its compatibility is 0. The base of all others is SDR, HDR10 or HLG.
DOLBY_PROFILES = frozenset({5, 10, 20})
_GENERIC_NAME = re.compile(
    r"handler|^(core media|l-smash|gpac|isomedia|apple|mainconcept|alias|stereo|mono)\b", re.IGNORECASE
)
FLAT = frozenset({"", "2D", "unspecified", "unknown", "rectilinear"})  # of projections and of views: an ordinary video
MAX_STREAMS = 100  # a real file has a handful; 1500 tracks are an attack on everything that loops over them
INTERLACED_ORDERS = frozenset({"tt", "bb", "tb", "bt"})


@dataclass(frozen=True, slots=True)
class Stream:
    """One stream as the container declares it; times in seconds, None where unknown.

    Pictures are reordered over `delay` places in decoding. `range`, `matrix`, `primaries` and `transfer` are ffmpeg's
    names of what the colours are said to be. `alpha_mode` is WebM's word for transparency beside the picture,
    `dolby_only` tells that only Dolby Vision can show the picture. `id` is the container's number of the stream, -1
    where it has none. `pcm` names the samples by MP4's own description of plain PCM; `raw` tells that
    no container gives the pictures their times. `projection` and `views` are ffmpeg's names of how a picture
    of all around, or two for two eyes, lie in the frame; empty for ordinary ones. `unlisted` is the decoder that it
    would need and that no upload may reach; tools see nothing of its codec then. `description` says all
    pictures, None where they are to be decoded. `role` is one of ROLES or empty; `forced` and `sdh` are of subtitles.
    """

    index: int
    kind: str
    codec: str
    width: int
    height: int
    pixel_aspect: Fraction
    turn: Orientation
    crop: Crop | None
    field_order: str
    average_rate: Fraction
    delay: int
    pixel_format: str
    range: str
    matrix: str
    primaries: str
    transfer: str
    alpha_mode: bool
    dolby_only: bool
    start_time: float
    duration: float | None
    default: bool
    cover: bool
    channels: int
    layout: str
    sample_format: str
    sample_rate: int
    language: str
    id: int = -1
    encrypted: bool = False
    pcm: str = ""
    raw: bool = False
    projection: str = ""
    views: str = ""
    title: str = ""
    late: bool = False
    unlisted: str = ""
    counted_seconds: float = 0.0
    description: Description | None = None
    role: str = ""
    forced: bool = False
    sdh: bool = False

    @property
    def is_known(self) -> bool:
        """Tell whether enough of the stream was seen to say what it is: a late one is only announced."""
        if self.unlisted:
            return True
        if self.kind == "video":
            return self.width > 0
        return self.kind != "audio" or (self.sample_rate > 0 and self.channels > 0)

    @property
    def is_interlaced(self) -> bool:
        """Tell whether its pictures are pairs of fields."""
        return self.field_order in INTERLACED_ORDERS

    @property
    def misread(self) -> bool:
        """Tell whether ffmpeg takes samples of PCM for others than the container says: it would play noise."""
        return self.pcm not in {"", self.codec}


@dataclass(frozen=True, slots=True)
class Probe:
    """The container and its streams; `start_time` is where its clock begins, in seconds.

    `programs` are the indexes of the streams of each programme, where the container has programmes. The streams were
    found in the first `look_seconds`, 0 for what tools look at by themselves.
    """

    container: str
    start_time: float
    duration: float | None
    streams: tuple[Stream, ...]
    programs: tuple[frozenset[int], ...] = ()
    look_seconds: float = 0.0
    chapters: tuple[ToldChapter, ...] = ()

    def to_be_decoded(self) -> Probe:
        """Return the same without belief in descriptions: pictures are decoded to know them."""
        return replace(self, streams=tuple(replace(stream, description=None) for stream in self.streams))

    def beside(self, stream: Stream) -> tuple[Stream, ...]:
        """Return the streams of the stream's programme, and those of none."""
        others = [program for program in self.programs if stream.index not in program]
        mine = [program for program in self.programs if stream.index in program]
        foreign = frozenset().union(*others) - frozenset().union(*mine)
        return tuple(other for other in self.streams if other.index not in foreign)


def parse_field_order(text: str) -> str:
    """Return ffprobe's word for what `interlaced|top first` lines of pictures say: `tt`, `bb` or `progressive`."""
    orders = [{"1|1": "tt", "1|0": "bb"}.get(line.strip().rstrip("|")) for line in text.splitlines()]
    return next(filter(None, orders), "progressive")


def parse_probe(answer: dict[str, Any]) -> Probe:
    """Turn ffprobe's JSON into facts; raises NotMediaError when there is no stream or far too many."""
    streams = answer.get("streams", [])
    container = answer.get("format", {})
    if not streams:
        raise NotMediaError(detail="The file holds no streams: it is empty, damaged or not a video.")
    if len(streams) > MAX_STREAMS:
        raise NotMediaError(detail=f"The file declares {len(streams)} streams; real videos have a handful.")
    name = str(container.get("format_name", ""))
    return Probe(
        container=name,
        start_time=_seconds(container.get("start_time")) or 0.0,
        duration=_seconds(container.get("duration")),
        streams=tuple(replace(_stream(item), raw=name in RAW_CONTAINERS) for item in streams),
        programs=tuple(_program(item) for item in answer.get("programs", [])[:MAX_STREAMS]),
        chapters=told_chapters(answer.get("chapters", [])),
    )


def _stream(item: dict[str, Any]) -> Stream:
    disposition = item.get("disposition", {})
    return Stream(
        index=int(item["index"]),
        **kind_of(item),
        start_time=_seconds(item.get("start_time")) or 0.0,
        duration=_seconds(item.get("duration")),
        default=bool(disposition.get("default")),
        cover=bool(disposition.get("attached_pic")),
        forced=bool(disposition.get("forced")),
        sdh=bool(disposition.get("hearing_impaired")),
        language=_tag(item, "language"),
        id=_number(item.get("id", "")),
        title=_title(item),
        role=next((role for role in ROLES if disposition.get(role)), ""),
        counted_seconds=float(_counted(item) * _ratio(item.get("time_base", ""), "/")),
        **_pictures(item),
        **_colours(item),
        **_sound(item),
    )


def _pictures(item: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of a Stream that say how its pictures lie in the frame and follow each other."""
    return {
        "width": int(item.get("width", 0)),
        "height": int(item.get("height", 0)),
        "pixel_aspect": _ratio(item.get("sample_aspect_ratio", ""), ":") or Fraction(1),
        "turn": turn_told(item.get("side_data_list", [])),
        "crop": _crop(item),
        "field_order": str(item.get("field_order", "")),
        "average_rate": _average_rate(item),
        "delay": int(item.get("has_b_frames", 0)),
        "projection": _said(item, "Spherical Mapping", "projection") or _tag(item, "spherical-video"),
        "views": _said(item, "Stereo 3D", "type"),
    }


def _average_rate(item: dict[str, Any]) -> Fraction:
    """Return the pictures a second, 0 where none are told: of raw DV ffprobe 7.1 tells its time base, 60000."""
    told = _ratio(item.get("avg_frame_rate", ""), "/")
    return told if told <= FASTEST else Fraction(0)


def _colours(item: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of a Stream that say what its pixels mean."""
    return {
        "pixel_format": str(item.get("pix_fmt", "")),
        "range": str(item.get("color_range", "")),
        "matrix": str(item.get("color_space", "")),
        "primaries": str(item.get("color_primaries", "")),
        "transfer": str(item.get("color_transfer", "")),
        "alpha_mode": _tag(item, "alpha_mode") == "1",
        "dolby_only": any(map(_is_dolby_only, item.get("side_data_list", []))),
    }


def _sound(item: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of a Stream that say how its sound is sampled."""
    return {
        "channels": int(item.get("channels", 0)),
        "layout": str(item.get("channel_layout", "")),
        "sample_format": str(item.get("sample_fmt", "")),
        "sample_rate": int(item.get("sample_rate", 0)),
    }


def _program(item: dict[str, Any]) -> frozenset[int]:
    return frozenset(int(stream["index"]) for stream in item.get("streams", []))


def _title(item: dict[str, Any]) -> str:
    """Return what a person called the track; MP4 has it as the name of its handler, if not what writers put there."""
    name = _tag(item, "title") or _tag(item, "name") or _tag(item, "handler_name")
    return "" if _GENERIC_NAME.search(name) else name.strip()


def _crop(item: dict[str, Any]) -> Crop | None:
    """Return what newer ffprobe tells of cropping by the container, None if that hides nothing or everything."""
    for data in item.get("side_data_list", []):
        found = Crop(**{edge: _count(data.get(f"crop_{edge}")) for edge in ("left", "right", "top", "bottom")})
        if (crop := sane_crop(found, int(item.get("width", 0)), int(item.get("height", 0)))) is not None:
            return crop
    return None


def sane_crop(crop: Crop, width: int, height: int) -> Crop | None:
    """Return the crop of a picture of this size, None if it hides nothing or leaves nothing."""
    leaves = crop.left + crop.right < width and crop.top + crop.bottom < height
    return crop if leaves and crop != Crop() else None


def _count(value: object) -> int:
    return value if isinstance(value, int) and value > 0 else 0


def _tag(item: dict[str, Any], name: str) -> str:
    """Return a stream's tag; writers differ in upper and lower case."""
    tags = {key.lower(): value for key, value in item.get("tags", {}).items()}
    return str(tags.get(name, ""))


def _said(item: dict[str, Any], kind: str, name: str) -> str:
    """Return what a stream's side data of a kind say under a name, nothing for an ordinary, flat video."""
    said = (str(data.get(name, "")) for data in item.get("side_data_list", []) if data.get("side_data_type") == kind)
    return next((word for word in said if word not in FLAT), "")


def _counted(item: dict[str, Any]) -> int:
    """Return how many units of its time base an AVI says that the stream has; other containers count otherwise."""
    count = str(item.get("nb_frames", ""))
    return int(count) if count.isdecimal() else 0


def _number(text: str) -> int:
    """Return a number that ffprobe prints as `0x1e0`, -1 for none."""
    try:
        return int(text, 16)
    except ValueError:
        return -1


def _is_dolby_only(side_data: dict[str, Any]) -> bool:
    """Tell whether this is a Dolby Vision record of a profile whose base picture is in Dolby's own colours."""
    profile, compatible = side_data.get("dv_profile"), side_data.get("dv_bl_signal_compatibility_id")
    return profile in DOLBY_PROFILES and compatible == 0


def _seconds(text: str | None) -> float | None:
    """Return finite seconds or None: containers lie, and ffprobe prints what they say."""
    if text is None or text == "N/A":
        return None
    value = float(text)
    return value if math.isfinite(value) else None


def _ratio(text: str, separator: str) -> Fraction:
    """Return a positive ratio such as `30000/1001` or `4:3`, 0 for unknown."""
    numerator, _, denominator = text.partition(separator)
    if not (numerator.isdecimal() and denominator.isdecimal()) or int(denominator) == 0:
        return Fraction(0)
    return Fraction(int(numerator), int(denominator))
