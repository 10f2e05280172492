"""README and docs say what the code does: every setting, every route, every command, every figure."""

from __future__ import annotations

import re

import pytest
from flask import Flask

from infra import readme_tables
from storage.services import Services
from storage.settings import Settings
from web.app import create_app

TEXT = readme_tables.README.read_text()
HTTP = (readme_tables.ROOT / "docs" / "http.md").read_text()
CONTRIBUTING = (readme_tables.ROOT / "CONTRIBUTING.md").read_text()
PAGES = [TEXT, CONTRIBUTING, *(page.read_text() for page in (readme_tables.ROOT / "docs").glob("*.md"))]
_ROUTE = re.compile(r"^\| `(GET|POST|PUT|PATCH|DELETE|HEAD)` \| `([^`]+)` \|", re.MULTILINE)
_COMMAND = re.compile(r"^make ([a-z0-9-]+) .*#", re.MULTILINE)  # in a block of commands, each with its comment
_OWN_ANSWERS = {"HEAD", "OPTIONS"}  # Flask adds them to every route


@pytest.fixture
def app(settings: Settings, own_services: Services) -> Flask:
    """Give the app with its real routes."""
    return create_app(settings, own_services)


def test_the_generated_tables_are_current() -> None:
    """`make readme` would change nothing: settings are those of the class, figures those of the last benches."""
    assert readme_tables.readme_anew(TEXT) == TEXT
    benchmarks = readme_tables.BENCHMARKS.read_text()
    assert readme_tables.benchmarks_anew(benchmarks) == benchmarks


def test_the_table_of_routes_is_the_url_map(app: Flask) -> None:
    """Each route of the app stands in the table, and nothing else."""
    real = {
        (method, re.sub(r"<(?:\w+:)?(\w+)>", r"<\1>", rule.rule))
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - _OWN_ANSWERS
    }
    assert set(_ROUTE.findall(HTTP)) == real


def test_every_command_named_is_a_target() -> None:
    """Each `make …` of a page is in the Makefile, and each target for people among the commands for contributors."""
    makefile = (readme_tables.ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z0-9-]+):", makefile, re.MULTILINE))
    for page in PAGES:
        assert set(re.findall(r"`make ([a-z0-9-]+)", page)) | set(_COMMAND.findall(page)) <= targets
    listed = set(_COMMAND.findall(CONTRIBUTING))
    assert targets - listed == {"up", "rebuild", "doctor", "setup", "clean"}


def cells(bench: str, row: str) -> list[str]:
    """Return the cells of the first row of a bench's tables that has this text."""
    lines = (readme_tables.BENCHES / f"{bench}.md").read_text().splitlines()
    return [cell.strip() for cell in next(line for line in lines if row in line).strip("|").split("|")]


def test_the_five_figures_are_those_of_the_benches() -> None:
    """What the README says of speed, fairness and overload is what was measured last."""
    film, dashcam = (f"{cells('encode', f'| 600 s of {clip}')[1].split()[0]} s" for clip in ("bbb", "highway"))
    whole = [cells("encode", f"{clip}.ts | whole")[4] for clip in ("bbb_1080p24_56s", "highway_dashcam_1080p25_50s")]
    behind = cells("fair", "highway_dashcam_1080p25_50s_30")
    accepted, ready = cells("overload", "accepted / ready")[1].split(" / ")
    taken = cells("overload", "accepted when they came back")[1].split(",")[0]
    said = re.findall(r"^\| (?!\|).+ \| (.+) \|$", TEXT[TEXT.index("## Five") : TEXT.index("## Arch")], re.MULTILINE)
    assert said == [
        " and ".join(whole),
        f"{film} and {dashcam}",
        behind[3].split(",")[0],
        f"{ready} of {accepted}",
        taken,
    ]
    assert behind[4].split(",")[0] in TEXT
