"""The pages of docs/ and what cites them: no link leads nowhere."""

from __future__ import annotations

import re
import subprocess
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = tuple(sorted((ROOT / "docs").glob("*.md")))
_LINK = re.compile(r"\]\((?!https?:)([^)\s]+)\)")
_CITED = re.compile(r"\bdocs/[a-z-]+\.md(?:#[a-z0-9-]+)?")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_SEPARATORS = re.compile(r"[^\w\- ]")
_TEXTS = (".py", ".md", ".toml", ".yml", ".sh", ".lua", ".js", ".html", ".css", "Makefile")


@cache
def anchors(page: Path) -> frozenset[str]:
    """Return the anchors that GitHub gives the page's headings."""
    titles = _HEADING.findall(page.read_text())
    return frozenset(_SEPARATORS.sub("", title.lower()).replace(" ", "-") for title in titles)


def leads_somewhere(page: Path, link: str) -> bool:
    """Tell whether a link from this page names a file or folder there is and, of a page, one of its headings."""
    name, _, anchor = link.partition("#")
    target = (page.parent / name).resolve() if name else page
    return target.exists() and (not anchor or anchor in anchors(target))


def tracked() -> list[str]:
    """Return the texts that git knows or would add."""
    listing = subprocess.check_output(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, text=True)
    return [name for name in listing.splitlines() if name.endswith(_TEXTS) and (ROOT / name).is_file()]


@pytest.mark.parametrize("page", [ROOT / "README.md", *PAGES], ids=lambda page: page.name)
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    """Files, pictures and headings that a page points at exist."""
    assert [link for link in _LINK.findall(page.read_text()) if not leads_somewhere(page, link)] == []


def test_every_citation_of_a_page_leads_somewhere() -> None:
    """Where code, settings or comments name a page of docs/, the page and its heading exist."""
    cited = ((name, link) for name in tracked() for link in _CITED.findall((ROOT / name).read_text()))
    assert [(name, link) for name, link in cited if not leads_somewhere(ROOT / "README.md", link)] == []


def test_anchors_are_those_of_github() -> None:
    """A heading's anchor has no punctuation, and hyphens for its spaces."""
    assert "is-it-well" in anchors(ROOT / "docs" / "operations.md")
