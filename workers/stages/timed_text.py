"""Chapters and subtitles of the MP4s: files in the scratch folder of packaging, and a command that reads them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from storage.captions.cues import Cue, on_timeline, one_at_a_time
from storage.captions.labels import labels
from storage.captions.reading import Format, cues_of
from storage.captions.webvtt import CHAPTERS, chapters_vtt, subtitles_vtt
from storage.model.plan import Plan
from storage.model.task import Results
from storage.model.timed_text import Chapter, SubtitleTrack
from storage.objects import keys
from storage.public.hls_subtitles import listed_tracks
from storage.subtitle_errors import SubtitleTooLargeError
from workers.attempts.attempt import Attempt
from workers.ffmpeg.mp4_chapters import ffmetadata, with_chapters, within
from workers.ffmpeg.mp4_subtitles import PackedSubtitles, with_subtitles
from workers.sandbox.outputs import own_file

VTT = "text/vtt"
_LISTED_CHAPTERS = "chapters.txt"


@dataclass(frozen=True, slots=True)
class TimedText:
    """What goes into each MP4 of a job: chapters, listed in the file `listed`, and subtitles."""

    chapters: tuple[Chapter, ...]
    listed: Path
    subtitles: tuple[PackedSubtitles, ...]

    def added_to(self, command: list[str]) -> list[str]:
        """Return the command of an MP4 with all of it."""
        command = with_subtitles(command, self.subtitles)
        return with_chapters(command, str(self.listed)) if self.chapters else command


def timed_text(attempt: Attempt, plan: Plan, results: Results, seconds: float) -> TimedText:
    """Write what MP4s of `seconds` hold of text, and store the chapters for players. Raises ObjectNotFoundError."""
    chapters, listed = within(plan.chapters, seconds), attempt.scratch / _LISTED_CHAPTERS
    if plan.chapters:
        body = chapters_vtt(plan.chapters).encode()
        attempt.services.objects.put_bytes(keys.rendition(attempt.job.id, CHAPTERS), body, content_type=VTT)
        with own_file(attempt.scratch, listed.name) as file:
            file.write(ffmetadata(chapters).encode())
    return TimedText(chapters, listed, tuple(_subtitles(attempt, plan, results, seconds)))


def _subtitles(attempt: Attempt, plan: Plan, results: Results, seconds: float) -> Iterator[PackedSubtitles]:
    tracks = listed_tracks(plan, results)
    for track, label in zip(tracks, labels(tracks), strict=True):
        cues = tuple(one_at_a_time(_cues(attempt, track, seconds)))
        try:
            body = subtitles_vtt(cues)
        except SubtitleTooLargeError:
            continue  # what stands at once is said again and again here; streams have it as it is
        if not cues:
            continue
        path = attempt.scratch / f"subtitles-{track.id}.vtt"
        with own_file(attempt.scratch, path.name) as file:
            file.write(body)
        yield PackedSubtitles(path, label, track.language, forced=track.forced, sdh=track.sdh)


def _cues(attempt: Attempt, track: SubtitleTrack, seconds: float) -> tuple[Cue, ...]:
    """Return the cues of a track that is stored, those that begin before the pictures end."""
    stored = b"".join(attempt.services.objects.read(keys.subtitle(attempt.job.id, track.id)))
    return on_timeline(cues_of(stored.decode(), Format.WEBVTT), 0.0, seconds)
