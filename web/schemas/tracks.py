"""What there is beside the pictures of a job, in the API: sounds, subtitles, chapters."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from storage.model.shown_text import NAME_LENGTH

Flag = Literal["true", "false"]


class Loudness(BaseModel):
    """What was measured of a track as it came (EBU R 128), and by how much the video has it louder."""

    integrated: float | None = Field(description="LUFS; null in silence.")
    range: float = Field(ge=0, description="LU.")
    true_peak: float | None = Field(description="dBTP; null in silence.")
    gain: float = Field(description="Decibels, 0 where the job asked for no loudness.")
    lacks: float = Field(ge=0, description="LU below the loudness that the job asks for, as peaks allow no more.")


class SoundTrack(BaseModel):
    """A track of sound, as players offer it."""

    name: str = Field(description="Its folder below `hls/`.", examples=["audio-1"])
    label: str = Field(description="Unlike that of any other track; NAME in the playlist.", examples=["English"])
    language: str = Field(description="A BCP 47 tag, empty where the source tells none.", examples=["en"])
    title: str = Field(description="What the source calls the track; often empty.")
    default: bool
    channels: list[int] = Field(description="Of each version of the track that players may choose.")
    loudness: Loudness | None = Field(description="Once the job is ready.")


class SubtitleTrack(BaseModel):
    """A track of subtitles that a viewer may choose."""

    id: str
    label: str = Field(description="What menus say; no two of a job are alike.", examples=["English (SDH)"])
    language: str = Field(description="A BCP 47 tag, empty where it is not known.", examples=["en"])
    title: str
    default: bool
    forced: bool = Field(description="Only what is foreign in the film.")
    sdh: bool = Field(description="For the deaf and hard of hearing: sounds are told as well.")
    origin: Literal["file", "added"]
    url: str | None = Field(description="WebVTT, once it is there.")


class Chapter(BaseModel):
    """A chapter of the source, in seconds on the job's timeline."""

    start: float = Field(ge=0)
    end: float = Field(ge=0)
    title: str = Field(description="Empty where the source has none.")


class SubtitleTracks(BaseModel):
    """All subtitles of a job."""

    subtitles: list[SubtitleTrack]


class SubtitleQuery(BaseModel):
    """What is told of subtitles that are added."""

    model_config = ConfigDict(extra="forbid")

    language: str = Field(
        default="",
        max_length=35,
        pattern="^[A-Za-z0-9_-]*$",
        description="A BCP 47 tag, or a code of ISO 639. It also tells in which characters the file may be written.",
    )
    label: str = Field(default="", max_length=NAME_LENGTH, description="What the track is besides its language.")
    default: Flag = "false"
    forced: Flag = "false"
    sdh: Flag = "false"
