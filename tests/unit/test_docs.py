"""The pages of docs/ and what cites them: no link leads nowhere."""

from __future__ import annotations

import ast
import re
import subprocess
import tomllib
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TOPS = ("storage", "workers", "web", "infra")
ARCHITECTURE = ROOT / "docs" / "architecture.md"
INDEX = ROOT / "docs" / "README.md"
WHERE = ROOT / "docs" / "where.md"
PAGES = tuple(sorted((ROOT / "docs").glob("*.md")))
_LINK = re.compile(r"\]\((?!https?:)([^)\s]+)\)")
_CITED = re.compile(r"\bdocs/[a-z-]+\.md(?:#[a-z0-9-]+)?")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_SEPARATORS = re.compile(r"[^\w\- ]")
_ROW = re.compile(r"^\| .+ \| \[`([^`]+)`\]\(\.\./([^)]+)\) \| (.*) \|$", re.MULTILINE)
ROWS = [(shown, target, re.findall(r"`([^`]+)`", names)) for shown, target, names in _ROW.findall(WHERE.read_text())]
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


def defined_in(body: Iterable[ast.stmt], owner: str = "") -> Iterator[str]:
    """Yield the names that the statements define; of a class also `Class.method`."""
    for node in body:
        match node:
            case ast.FunctionDef(name=name):
                yield owner + name
            case ast.ClassDef(name=name):
                yield owner + name
                yield from defined_in(node.body, f"{name}.")
            case ast.Assign(targets=targets):
                yield from (owner + target.id for target in targets if isinstance(target, ast.Name))
            case ast.AnnAssign(target=ast.Name(id=name)):
                yield owner + name
            case _:
                continue


@pytest.mark.parametrize(
    "page", [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *PAGES], ids=lambda page: str(page.relative_to(ROOT))
)
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    """Files, pictures and headings that a page points at exist."""
    assert [link for link in _LINK.findall(page.read_text()) if not leads_somewhere(page, link)] == []


def test_every_citation_of_a_page_leads_somewhere() -> None:
    """Where code, settings or comments name a page of docs/, the page and its heading exist."""
    cited = ((name, link) for name in tracked() for link in _CITED.findall((ROOT / name).read_text()))
    assert [(name, link) for name, link in cited if not leads_somewhere(ROOT / "README.md", link)] == []


def test_the_index_knows_every_page() -> None:
    """Each page of docs/ is linked from docs/README.md."""
    linked = {(INDEX.parent / link).resolve() for link in _LINK.findall(INDEX.read_text())}
    assert [page.name for page in PAGES if page != INDEX and page not in linked] == []


def test_anchors_are_those_of_github() -> None:
    """A heading's anchor has no punctuation, and hyphens for its spaces."""
    assert "is-it-well" in anchors(ROOT / "docs" / "operations.md")


def test_where_has_a_row_for_each_behaviour() -> None:
    """Every line of its tables is understood here, and the file shown is the one linked."""
    lines = [line for line in WHERE.read_text().splitlines() if line.startswith("| ") and "](../" in line]
    assert len(ROWS) == len(lines) >= 50
    assert all(shown == target for shown, target, _ in ROWS)


@pytest.mark.parametrize(("file", "names"), [(target, names) for _, target, names in ROWS])
def test_what_is_said_to_be_in_a_file_is_defined_there(file: str, names: list[str]) -> None:
    """Functions, classes, their methods, and constants."""
    defined = frozenset(defined_in(ast.parse((ROOT / file).read_text()).body)) if file.endswith(".py") else frozenset()
    assert [name for name in names if name not in defined] == []


def test_no_walk_enters_a_file_twice() -> None:
    """Each way through the code goes on, by the steps of the page of the architecture."""
    sections = ARCHITECTURE.read_text().split("\n## ")
    walks = [re.findall(r"^\d+\. \[`([^`]+)`\]", section, re.MULTILINE) for section in sections]
    walks = [walk for walk in walks if walk]
    assert len(walks) == 3
    assert all(len(set(walk)) == len(walk) for walk in walks)


def test_the_layers_told_are_those_of_the_contracts() -> None:
    """The page of the architecture has each folder's layers as import-linter checks them."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    folders = [contract for contract in contracts if contract.get("containers") in (["storage"], ["workers"], ["web"])]
    blocks = ["\n".join(contract["layers"]) for contract in folders]
    assert [block for block in blocks if f"```\n{block}\n```" not in ARCHITECTURE.read_text()] == []


def test_every_package_is_a_street() -> None:
    """The page of the architecture lists each package below the top folders, and no other."""
    found = {str(path.parent.relative_to(ROOT)) for top in TOPS for path in (ROOT / top).glob("*/__init__.py")}
    streets = ARCHITECTURE.read_text().split("## The layers")[0]
    assert set(re.findall(r"`((?:storage|workers|web|infra)/\w+)`", streets)) == found
