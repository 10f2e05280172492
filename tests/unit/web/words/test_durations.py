"""Lengths of time in the pages' languages."""

from __future__ import annotations

import pytest
from flask import Flask

from web.words.job_words import duration
from web.words.language import init_i18n, worded_in


@pytest.mark.parametrize(
    ("language", "seconds", "words"),
    [
        ("en", 56, "56 seconds"),
        ("en", 4830, "1 hour 20 minutes"),
        ("ko", 56, "56초"),
        ("ko", 4830, "1시간 20분"),
    ],
)
def test_a_length_of_time_has_words(language: str, seconds: float, words: str) -> None:
    """Also in Korean, which has no long form of its own: Babel would show the unit's id."""
    app = Flask(__name__)
    init_i18n(app)
    with worded_in(language, app):
        assert duration(seconds) == words
