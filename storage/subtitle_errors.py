"""What is wrong with subtitles: a branch of the error tree.

SubtitleError                 other subtitles, or fewer, are to be brought
├── SubtitleUnreadableError   subtitle_unreadable   not one cue of a format that is known
├── SubtitleTooLargeError     subtitle_too_large    more cues, or more text, than any film has
├── SubtitleNotFoundError     subtitle_not_found    there is no such track, or it came with the file
└── SubtitlesFullError        subtitles_full        the job has as many tracks as one may have
"""

from __future__ import annotations

from storage.errors import RequestError


class SubtitleError(RequestError):
    """Other subtitles, or fewer, are to be brought."""

    code = "subtitle_refused"


class SubtitleUnreadableError(SubtitleError):
    """Not one cue of a format that is known could be read."""

    code = "subtitle_unreadable"


class SubtitleTooLargeError(SubtitleError):
    """There are more cues, or there is more text, than any film has."""

    code = "subtitle_too_large"


class SubtitleNotFoundError(SubtitleError):
    """The job has no such track that was added to it."""

    code = "subtitle_not_found"


class SubtitlesFullError(SubtitleError):
    """The job has as many tracks as one may have."""

    code = "subtitles_full"
