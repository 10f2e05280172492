"""Labels of tracks: what people choose by, and no two alike."""

from __future__ import annotations

from storage.captions.labels import labels
from storage.model.timed_text import SubtitleTrack


def test_labels_tell_what_a_track_is() -> None:
    """Language, title, marks; each only once, and a number where nothing else differs."""
    tracks = [
        SubtitleTrack("0", "en"),
        SubtitleTrack("1", "en", sdh=True),
        SubtitleTrack("2", "en", "SDH", sdh=True),
        SubtitleTrack("3", "en", "English"),
        SubtitleTrack("4", "fr", "Signs", forced=True),
        SubtitleTrack("5", "", "Director"),
        SubtitleTrack("6"),
        SubtitleTrack("7"),
    ]
    assert labels(tracks) == [
        "English",
        "English (SDH)",
        "English, SDH",
        "English 2",
        "French, Signs (forced)",
        "Director",
        "Subtitles",
        "Subtitles 2",
    ]
