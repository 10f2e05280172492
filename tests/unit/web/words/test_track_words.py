"""Tracks in warnings, in the pages' languages."""

from __future__ import annotations

from dataclasses import asdict

import pytest
from flask import Flask

from storage.model.job_warnings import JobWarning, warning
from storage.sentences import ToldWarning
from web.words.job_words import warned
from web.words.language import init_i18n, worded_in

PICTURES = warning("subtitle_pictures", n=3, languages="German, Traditional Chinese, unknown")
UNREADABLE = warning("subtitle_unreadable", n=4, names="English (SDH), French, Director's cut (forced), Subtitles 2")
LOST = warning("audio_undecodable", number=2, label="Korean 2, <b>commentary</b>")


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (PICTURES, "제외한 그림 자막: 독일어, 중국어(만다린, 번체), 알 수 없는 언어."),
        (UNREADABLE, "읽을 수 없는 자막: 영어(청각 장애인용), 프랑스어, Director's cut (forced), 자막 2."),
        (LOST, "디코딩할 수 없어 제외한 오디오 트랙: 2번(한국어 2, <b>commentary</b>)."),
        (warning("loudness_unknown", label="Audio"), "오디오"),
    ],
)
def test_languages_in_warnings_are_in_the_readers(told: JobWarning, words: str) -> None:
    """What a track's author wrote stays; in English all of it does."""
    app = Flask(__name__)
    init_i18n(app)
    said: ToldWarning = asdict(told)  # type: ignore[assignment]
    with worded_in("ko", app):
        assert words in warned(said)
    with worded_in("en", app):
        assert warned(said) == told.message
