"""The error tree as it is drawn is the one there is."""

from __future__ import annotations

import re
from collections.abc import Iterator

from storage import errors

# A branch is drawn four columns to the right of its parent; a code follows where one is raised.
_DRAWN = re.compile(r"^([│├└─ ]*)(\w+Error)(?: +(\w+))?", re.MULTILINE)


def tree(of: type[errors.RungsError], depth: int = 0) -> Iterator[tuple[int, str]]:
    """Yield each class below this one, itself first, with how deep it stands."""
    yield depth, of.__name__
    for child in of.__subclasses__():
        yield from tree(child, depth + 1)


def drawn() -> list[tuple[int, str, str]]:
    """Return depth, name and word behind it of every line of the drawing."""
    return [(len(branch) // 4, name, word) for branch, name, word in _DRAWN.findall(errors.__doc__ or "")]


def test_the_drawing_has_every_class_in_its_place() -> None:
    """In the order of the file, each below its parent."""
    assert [(depth, name) for depth, name, _ in drawn()] == list(tree(errors.RungsError))


def test_what_is_raised_is_drawn_with_its_code() -> None:
    """A leaf's own code stands behind its name."""
    leaves = {name: word for _, name, word in drawn() if not getattr(errors, name).__subclasses__()}
    assert {name: getattr(errors, name).code for name in leaves} == leaves
