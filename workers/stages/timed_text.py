"""Chapters and subtitles of the MP4s: files in the scratch folder of packaging, and a command that reads them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from storage.captions.cues import on_timeline, one_at_a_time
from storage.captions.labels import labels
from storage.captions.reading import Format, cues_of
from storage.captions.webvtt import CHAPTERS, LONGEST_BYTES, VTT, chapters_vtt
from storage.errors import ObjectNotFoundError
from storage.model.plan import Plan
from storage.model.task import Results
from storage.model.timed_text import Chapter
from storage.objects import keys
from storage.public.hls_subtitles import listed_tracks
from workers.attempts.attempt import Attempt
from workers.ffmpeg.mp4_chapters import ffmetadata, with_chapters, within
from workers.ffmpeg.mp4_subtitles import PackedSubtitles, subrip, with_subtitles
from workers.sandbox.outputs import own_file

MP4_SHARE = 3  # of a track in an MP4, in times of SubRip: its texts, and for each cue and each pause 30 bytes of tables
_LISTED_CHAPTERS = "chapters.txt"


@dataclass(frozen=True, slots=True)
class TimedText:
    """What goes into each MP4 of a job: chapters, listed in the file `listed`, and subtitles."""

    chapters: tuple[Chapter, ...]
    listed: Path
    subtitles: tuple[PackedSubtitles, ...]

    @property
    def most(self) -> int:
        """The bytes that an MP4 may have for subtitles, their text and its tables; times take more room in SubRip."""
        return MP4_SHARE * sum(track.path.stat().st_size for track in self.subtitles)

    def added_to(self, command: list[str]) -> list[str]:
        """Return the command of an MP4 with all of it."""
        command = with_subtitles(command, self.subtitles)
        return with_chapters(command, str(self.listed)) if self.chapters else command


def timed_text(attempt: Attempt, plan: Plan, results: Results, seconds: float) -> TimedText:
    """Write what MP4s of `seconds` hold of text, and store the chapters for players."""
    chapters, listed = within(plan.chapters, seconds), attempt.scratch / _LISTED_CHAPTERS
    if plan.chapters:
        body = chapters_vtt(plan.chapters).encode()
        attempt.services.objects.put_bytes(keys.rendition(attempt.job.id, CHAPTERS), body, content_type=VTT)
        with own_file(attempt.scratch, listed.name) as file:
            file.write(ffmetadata(chapters).encode())
    return TimedText(chapters, listed, tuple(_subtitles(attempt, plan, results, seconds)))


def _subtitles(attempt: Attempt, plan: Plan, results: Results, seconds: float) -> Iterator[PackedSubtitles]:
    """Yield the tracks that have a text: those of the file, and those that were added to the job by now."""
    job_id = attempt.job.id
    stored = {track: keys.subtitle(job_id, track.id) for track in listed_tracks(plan, results)}
    stored |= {track: keys.added_subtitle(job_id, track.id) for track in attempt.services.jobs.get(job_id).added}
    for (track, key), label in zip(stored.items(), labels(stored), strict=True):
        body = _one_at_a_time(attempt, key, seconds)
        if body:
            path = attempt.scratch / f"subtitles-{track.id}.srt"
            with own_file(attempt.scratch, path.name) as file:
                file.write(body)
            yield PackedSubtitles(path, label, track.language, forced=track.forced, sdh=track.sdh)


def _one_at_a_time(attempt: Attempt, key: str, seconds: float) -> bytes:
    """Return a stored track as MP4s take it, nothing where no cue of it is shown.

    Nothing as well where so much stands at once that it is too long, said again and again; streams have it as it is.
    """
    with suppress(ObjectNotFoundError):  # removed in this very moment
        stored = b"".join(attempt.services.objects.read(key))
        cues = on_timeline(cues_of(stored.decode(), Format.WEBVTT), 0.0, seconds)
        body = subrip(one_at_a_time(cues))
        return body if len(body) <= LONGEST_BYTES else b""
    return b""
