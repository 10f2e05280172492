"""The error tree as it is drawn is the one there is: each branch at the head of its module."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from storage import errors, media_errors, subtitle_errors, upload_errors
from storage.error_sentences import FAULTS, SENTENCES

ROOT = Path(__file__).resolve().parents[3]
ROOMS = ("web", "workers", "storage", "infra")

# A branch is drawn four columns to the right of its parent; a code follows where one is raised.
_DRAWN = re.compile(r"^([│├└─ ]*)(\w+Error)(?: +(\w+))?", re.MULTILINE)
BRANCHES = pytest.mark.parametrize(
    ("module", "root"),
    [
        (errors, errors.RungsError),
        (media_errors, media_errors.MediaError),
        (upload_errors, upload_errors.UploadError),
        (subtitle_errors, subtitle_errors.SubtitleError),
    ],
)


def tree(of: type[errors.RungsError], module: ModuleType, depth: int = 0) -> Iterator[tuple[int, str]]:
    """Yield each class of the module below this one, itself first, with how deep it stands."""
    if of.__module__ == module.__name__:
        yield depth, of.__name__
        for child in of.__subclasses__():
            yield from tree(child, module, depth + 1)


def drawn(module: ModuleType) -> list[tuple[int, str, str]]:
    """Return depth, name and word behind it of every line of the drawing that is a class of the module."""
    lines = _DRAWN.findall(module.__doc__ or "")
    return [(len(branch) // 4, name, word) for branch, name, word in lines if hasattr(module, name)]


@BRANCHES
def test_the_drawing_has_every_class_in_its_place(module: ModuleType, root: type[errors.RungsError]) -> None:
    """In the order of the file, each below its parent."""
    assert [(depth, name) for depth, name, _ in drawn(module)] == list(tree(root, module))


@BRANCHES
def test_what_is_raised_is_drawn_with_its_code(module: ModuleType, root: type[errors.RungsError]) -> None:
    """A leaf's own code stands behind its name."""
    leaves = {name: word for _, name, word in drawn(module) if not getattr(module, name).__subclasses__()}
    assert leaves
    assert root.__name__ not in leaves
    assert {name: getattr(module, name).code for name in leaves} == leaves


def test_the_trunk_says_where_its_other_branches_are() -> None:
    """Whoever reads one module finds the others."""
    for module in (media_errors, upload_errors, subtitle_errors):
        assert module.__name__ in str(errors.__doc__)


def _raised() -> Iterator[tuple[str, ast.Call, type[errors.RungsError]]]:
    """Yield each place of the product that makes one of our errors."""
    kinds = {
        name: kind
        for module in (errors, media_errors, upload_errors, subtitle_errors)
        for name, kind in vars(module).items()
    }
    for module in sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py")):
        for node in ast.walk(ast.parse(module.read_text())):
            name = ast.unparse(node.func).rpartition(".")[2] if isinstance(node, ast.Call) else ""
            kind = kinds.get(name)
            if isinstance(node, ast.Call) and isinstance(kind, type) and issubclass(kind, errors.RungsError):
                yield f"{module.relative_to(ROOT)}:{node.lineno}", node, kind


def test_no_raise_site_words_a_sentence_of_its_own() -> None:
    """People read what stands in the tables; `detail` and `values` are the case's own."""
    assert [place for place, call, _ in _raised() if call.args] == []
    words = {"message", "precisely", "sentence"}
    assert [place for place, call, _ in _raised() if words & {word.arg for word in call.keywords}] == []


def test_each_reason_is_in_a_table_and_each_of_the_tables_is_raised() -> None:
    """It is written out where it is raised, so that it can be looked for."""
    reasons = {
        f"{kind.code}.{ast.literal_eval(word.value)}"
        for _, call, kind in _raised()
        for word in call.keywords
        if word.arg == "reason"
    }
    assert reasons == {key for key in (*SENTENCES, *FAULTS) if "." in key}
