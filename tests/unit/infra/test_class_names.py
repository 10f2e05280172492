"""A class's name tells which one is meant: none stands twice in the product."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
ROOMS = ("web", "workers", "storage", "infra")
SCHEMAS = Path("web/schemas")  # what OpenAPI shows is called as what it shows


def test_no_class_name_stands_twice() -> None:
    """Private classes do not count: nobody else sees them."""
    places = defaultdict[str, list[str]](list)
    for module in sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py")):
        place = module.relative_to(ROOT)
        if place.is_relative_to(SCHEMAS):
            continue
        for node in ast.walk(ast.parse(module.read_text())):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].append(str(place))
    assert {name: found for name, found in places.items() if len(found) > 1} == {}
