"""The pages' languages: chosen by the visitor's cookie, else by the browser's Accept-Language header."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flask import Flask, request
from flask_babel import Babel, force_locale, get_locale

LANGUAGES = {"en": "English", "ko": "한국어"}  # each by its own name, as the switch shows it
DEFAULT_LANGUAGE = "en"
COOKIE = "language"
COOKIE_SECONDS = 365 * 24 * 3600  # browsers keep no cookie much longer
TRANSLATIONS = Path(__file__).parent.parent / "translations"


def choose_language(cookie: str | None, accepted: str | None) -> str:
    """Return the language to answer in: the cookie's if known, else the best one the browser accepts."""
    if cookie in LANGUAGES:
        return str(cookie)
    return accepted or DEFAULT_LANGUAGE


def _of_request() -> str:
    return choose_language(request.cookies.get(COOKIE), request.accept_languages.best_match(LANGUAGES))


def language() -> str:
    """Return the language of the present request, `en` or `ko`."""
    locale = get_locale()
    return locale.language if locale else DEFAULT_LANGUAGE


@contextmanager
def worded_in(chosen: str, app: Flask) -> Iterator[None]:
    """Word everything in the chosen language for the time of the context, also where no request is being answered."""
    with app.app_context(), force_locale(chosen):
        yield


def init_i18n(app: Flask) -> None:
    """Give the app gettext catalogs, the choice of language, and templates the names `language` and `languages`."""
    Babel(app, default_translation_directories=str(TRANSLATIONS), locale_selector=_of_request)

    def names() -> dict[str, object]:
        return {"language": language(), "languages": LANGUAGES}

    app.context_processor(names)
