"""Digits are ASCII's wherever a client writes them: Redis and others read no number in the rest of Unicode."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
SOURCES = sorted(path for top in ("web", "storage") for path in (ROOT / top).rglob("*.py"))
_DIGITS = {"isdigit", "isdecimal", "isnumeric"}


def patterns(tree: ast.AST) -> Iterator[ast.Call]:
    """Yield the calls of `re` whose pattern has a class of digits that is Unicode's."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id="re")), args=[ast.Constant(value=str(pattern)), *_]):
                if "\\d" in pattern and "ASCII" not in ast.unparse(node):
                    yield node
            case _:
                continue


def questions(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield where a text is asked whether it is a number, but not whether it is ASCII."""
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef):
            asked = {node.attr for node in ast.walk(function) if isinstance(node, ast.Attribute)}
            if asked & _DIGITS and "isascii" not in asked:
                yield function


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_other_digits_are_taken(path: Path) -> None:
    """Patterns have `[0-9]` or re.ASCII, and `isdecimal` stands beside `isascii`."""
    tree = ast.parse(path.read_text())
    assert [*patterns(tree), *questions(tree)] == []


def test_what_is_looked_for_is_found() -> None:
    """Both forms are seen in a source that has them."""
    tree = ast.parse("import re\n\ndef f(x):\n    return re.fullmatch(r'\\d+', x) or x.isdigit()\n")
    assert len([*patterns(tree), *questions(tree)]) == 2
