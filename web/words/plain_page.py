"""An error page that needs nothing: no style sheet, no language of a visitor, no request that could be read."""

from __future__ import annotations

from functools import cache
from html import escape
from http import HTTPStatus

from babel.support import Translations

from storage.error_sentences import SENTENCES
from web.words.language import DEFAULT_LANGUAGE, LANGUAGES, TRANSLATIONS


@cache
def plain_page(status: HTTPStatus, code: str) -> str:
    """Return a page that says the code's sentence in every language."""
    said = "\n".join(f'<p lang="{language}">{escape(_in(language, SENTENCES[code]))}</p>' for language in LANGUAGES)
    return (
        f'<!doctype html>\n<html lang="{DEFAULT_LANGUAGE}">\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{status.value} · Rungs</title>\n<h1>{status.value}</h1>\n{said}\n"
        '<p><a href="/">Rungs</a></p>\n</html>\n'
    )


def _in(language: str, sentence: str) -> str:
    return Translations.load(TRANSLATIONS, [language]).gettext(sentence)
