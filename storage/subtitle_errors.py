"""What is wrong with subtitles: a branch of the error tree.

SubtitleError                 other subtitles, or fewer, are to be brought
└── SubtitleTooLargeError     subtitle_too_large    more cues, or more text, than any film has
"""

from __future__ import annotations

from storage.errors import RequestError


class SubtitleError(RequestError):
    """Other subtitles, or fewer, are to be brought."""

    code = "subtitle_refused"


class SubtitleTooLargeError(SubtitleError):
    """There are more cues, or there is more text, than any film has."""

    code = "subtitle_too_large"
