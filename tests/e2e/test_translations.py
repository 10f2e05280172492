"""The texts: every one translated, the catalog as new as the sources, every key of the scripts known."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.pofile import read_po

from storage.errors import AttemptError, BusyError, RequestError, RungsError
from storage.media_errors import MediaError
from web.routes.pages import local_path
from web.words.job_words import FINAL_CODES
from web.words.language import DEFAULT_LANGUAGE, LANGUAGES, TRANSLATIONS, choose_language
from web.words.texts import TEXTS

ROOT = Path(__file__).parents[2]
HOW = (
    "run: pybabel extract -F babel.cfg -k lazy_gettext --no-location -o messages.pot storage web"
    " && pybabel update -i messages.pot -d web/translations, then translate what is new"
)
WORDS = [ROOT / "web" / "words" / f"{name}.py" for name in ("job_words", "job_page", "queue_words", "track_words")]
ROOMS = ("storage", "web")  # where sentences for people stand
_PLACEHOLDER = re.compile(r"%\((\w+)\)s")

pytestmark = pytest.mark.usefixtures("catalogs")


def in_sources() -> set[str | tuple[str, ...]]:
    """Return every text that is to be translated."""
    with (ROOT / "babel.cfg").open() as file:
        methods, options = parse_mapping_cfg(file)
    keywords = {**DEFAULT_KEYWORDS, "lazy_gettext": None}
    found = (text for room in ROOMS for text in extract_from_dir(ROOT / room, methods, options, keywords=keywords))
    return {tuple(text) if isinstance(text, (list, tuple)) else text for _, _, text, _, _ in found}


def catalog(language: str) -> Catalog:
    """Return the catalog of a language."""
    with (TRANSLATIONS / language / "LC_MESSAGES" / "messages.po").open("rb") as file:
        return read_po(file)


def strings(text: Any) -> tuple[str, ...]:
    """Return a message's forms."""
    return tuple(text) if isinstance(text, (list, tuple)) else (text,)


@pytest.mark.parametrize("language", sorted(set(LANGUAGES) - {DEFAULT_LANGUAGE}))
def test_catalog_is_complete_and_up_to_date(language: str) -> None:
    """Every text of the sources is in the catalog and translated, nothing fuzzy, nothing left over."""
    known = catalog(language)
    messages = [message for message in known if message.id]
    assert {message.id for message in messages} == in_sources(), HOW
    assert [message.id for message in messages if message.fuzzy or not all(strings(message.string))] == []
    assert not known.obsolete


@pytest.mark.parametrize("language", sorted(set(LANGUAGES) - {DEFAULT_LANGUAGE}))
def test_translations_keep_what_is_filled_in(language: str) -> None:
    """A translation has the placeholders of its text, no more and no fewer."""
    for message in catalog(language):
        wanted = set(_PLACEHOLDER.findall(strings(message.id)[-1])) if message.id else set()
        for words in strings(message.string) if message.id else ():
            assert set(_PLACEHOLDER.findall(words)) == wanted, message.id


def test_every_error_code_has_a_sentence() -> None:
    """Whatever code a visitor can meet, the pages have a sentence for it in their language."""
    # `busy` is the one kind that is raised although it has kinds below it.
    missing = [code for code in (*codes_of(RungsError), BusyError.code) if f"error.{code}" not in TEXTS]
    assert missing == []
    assert codes_of(MediaError) <= FINAL_CODES
    assert not (codes_of(AttemptError) | codes_of(RequestError)) & FINAL_CODES


def codes_of(kind: type[RungsError]) -> set[str]:
    """Return the codes of the tree's leaves below this kind."""
    below = kind.__subclasses__()
    return set().union(*map(codes_of, below)) if below else {kind.code}


def test_scripts_ask_for_known_texts_only() -> None:
    """Every key that scripts and templates name is there, and every text is named somewhere."""
    sources = [*(ROOT / "web" / "static" / "js").rglob("*.js"), *(ROOT / "web" / "templates").glob("*.html")]
    words = "\n".join(path.read_text() for path in [*sources, *WORDS])
    named = set(re.findall(r"text\(\s*[\"'`]([\w.]+\w)[\"'`]", words))
    assert named <= set(TEXTS)
    prefixes = tuple(re.findall(r"[\"'`](\w+\.)(?:\$|\{|[\"'`] ~)", words))
    unused = [key for key in TEXTS if f'"{key}"' not in words and not key.startswith(prefixes)]
    assert unused == []


@pytest.mark.parametrize(
    ("cookie", "accepted", "chosen"),
    [("ko", "en", "ko"), ("xx", "ko", "ko"), (None, "ko", "ko"), (None, None, "en"), ("", None, "en")],
)
def test_language_is_the_cookies_then_the_browsers(cookie: str | None, accepted: str | None, chosen: str) -> None:
    """The visitor's own choice wins, an unknown one is ignored, and English is the last resort."""
    assert choose_language(cookie, accepted) == chosen


@pytest.mark.parametrize(
    ("path", "kept"),
    [
        ("/queue", "/queue"),
        ("//evil.example/", "/"),
        ("/\\evil.example", "/"),
        ("https://evil.example/", "/"),
        ("/a\r\nSet-Cookie: x", "/"),
        ("", "/"),
    ],
)
def test_language_switch_leads_nowhere_else(path: str, kept: str) -> None:
    """Only paths of this site are gone back to."""
    assert local_path(path) == kept
