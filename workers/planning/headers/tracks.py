"""What the headers of a file say of its tracks, where ffprobe says too little."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from storage.model.plan import Crop

VIDEO, AUDIO = "video", "audio"


@dataclass(frozen=True, slots=True)
class Description:
    """What a container says once for all pictures of H.264: their one set of parameters, which allows no fields.

    `length_bytes` is how many bytes tell the length of each unit of a picture.
    """

    parameters: bytes
    length_bytes: int


@dataclass(frozen=True, slots=True)
class Track:
    """One track; `pcm` is ffmpeg's name of the samples that MP4's own box describes.

    `crop` is what the container hides of the pictures, `aspect` the shape of pixels where older ffprobe, which knows of
    no cropping, reckons it wrongly. `pictures` is how many of them a table tells, 0 where none does.
    `description` says all pictures, None where they are to be decoded to know them.
    """

    kind: str = ""
    encrypted: bool = False
    pcm: str = ""
    crop: Crop | None = None
    aspect: Fraction | None = None
    pictures: int = 0
    description: Description | None = None


@dataclass(frozen=True, slots=True)
class Headers:
    """What is known of a file; nothing where no reader knows it.

    `container` is ffmpeg's name of it. Tracks are known by ffprobe's id of the stream, or by its place among the
    streams where the container has no such ids.

    `refers` tells that it only names other files. `still` tells one picture, in whatever container (HEIC, AVIF),
    `moving` that pictures which look like files of their own are a stream, `animated` that the picture is animated in a
    way that ffmpeg cannot decode.
    """

    container: str = ""
    by_id: Mapping[int, Track] = field(default_factory=dict)
    by_place: Mapping[int, Track] = field(default_factory=dict)
    refers: bool = False
    still: bool = False
    moving: bool = False
    animated: bool = False

    @property
    def pictures(self) -> int:
        """How many pictures the tables of all tracks tell."""
        return sum(track.pictures for track in self.by_id.values())

    @property
    def all_pictures_encrypted(self) -> bool:
        """Tell whether there are tracks of pictures, and every one is encrypted."""
        tracks = (*self.by_id.values(), *self.by_place.values())
        pictures = [track.encrypted for track in tracks if track.kind == VIDEO]
        return bool(pictures) and all(pictures)
