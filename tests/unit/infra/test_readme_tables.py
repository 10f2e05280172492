"""README.md says what the code does: every setting, every route, every command."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from flask import Flask

from infra import readme_tables
from storage.services import Services
from storage.settings import Settings
from web.app import create_app

TEXT = readme_tables.README.read_text()
_ROUTE = re.compile(r"^\| `(GET|POST|PUT|PATCH|DELETE|HEAD)` \| `([^`]+)` \|", re.MULTILINE)
_OWN_ANSWERS = {"HEAD", "OPTIONS"}  # Flask adds them to every route


@pytest.fixture
def app(settings: Settings, twin_services: Services) -> Flask:
    """Give the app with its real routes."""
    return create_app(settings, twin_services)


def test_the_generated_tables_are_current() -> None:
    """`make readme` would change nothing: settings are those of the class, figures those of the last benches."""
    assert readme_tables.made_anew(TEXT) == TEXT


def test_the_table_of_routes_is_the_url_map(app: Flask) -> None:
    """Each route of the app stands in the table, and nothing else."""
    real = {
        (method, re.sub(r"<(?:\w+:)?(\w+)>", r"<\1>", rule.rule))
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - _OWN_ANSWERS
    }
    assert set(_ROUTE.findall(TEXT)) == real


def test_every_command_named_is_a_target() -> None:
    """Each `make …` of the README is in the Makefile."""
    targets = set(re.findall(r"^([a-z0-9-]+):", (readme_tables.README.parent / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"\bmake ([a-z0-9-]+)", TEXT))
    assert named <= targets
    assert {"up", "test"} <= named


def test_every_local_link_leads_somewhere() -> None:
    """Files and pictures that the README points at exist."""
    for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", TEXT):
        assert (Path(readme_tables.README.parent) / target).exists(), target
