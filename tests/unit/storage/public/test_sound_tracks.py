"""What tracks of sound are called: names of objects and labels of menus."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.model.plan import ROLES, AudioSource
from storage.model.shown_text import clean_text
from storage.public.sound_tracks import ROLE_WORDS, sound_tracks
from tests.support.jobs import SOUND


@pytest.mark.parametrize(
    ("language", "title", "role", "label"),
    [
        ("", "", "", "Audio"),
        ("en", "", "", "English"),
        ("en", "Director", "comment", "English, Director"),
        ("en", "", "comment", "English, commentary"),
        ("", "", "visual_impaired", "audio description"),
        ("en", "English 5.1", "", "English 5.1"),
        ("pt-BR", "", "dub", "Brazilian Portuguese, dubbed"),
        ("", 'So "named"', "", "So 'named'"),
    ],
)
def test_a_label_says_language_and_title(language: str, title: str, role: str, label: str) -> None:
    """Each once; a role where there is no title."""
    (track,) = sound_tracks([replace(SOUND, language=language, title=title, role=role)])
    assert (track.name, track.label) == ("audio", label)


def test_every_role_has_words() -> None:
    """None is left without."""
    assert ROLE_WORDS.keys() == set(ROLES)


AUDIO = st.builds(
    AudioSource,
    **{name: st.just(getattr(SOUND, name)) for name in ("stream", "codec", "channels", "sample_rate", "bitrate")},
    source_channels=st.just(2),
    layout=st.just("stereo"),
    language=st.sampled_from(["", "en", "de"]),
    title=st.text(max_size=3).map(clean_text) | st.sampled_from(["Audio", "Audio 2", "English", "English 2"]),
    role=st.sampled_from(["", *ROLES]),
)


@given(st.lists(AUDIO, max_size=16))
def test_no_label_comes_twice_or_leaves_its_quotation_marks(sounds: list[AudioSource]) -> None:
    """Whatever an upload calls its tracks: RFC 8216bis, 4.2 and 4.4.6.2.1."""
    tracks = sound_tracks(sounds)
    assert len({track.label for track in tracks}) == len({track.name for track in tracks}) == len(sounds)
    assert all(track.label and not set('"\r\n') & set(track.label) for track in tracks)
