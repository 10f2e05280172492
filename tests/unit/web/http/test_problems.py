"""Every error class has its place in HTTP."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from storage.errors import BusyError, RequestError, RungsError
from storage.media_errors import MediaError
from web.http.problems import STATUS_OF


def tree(root: type[RungsError]) -> Iterator[type[RungsError]]:
    """Yield the class and all below it."""
    yield root
    for kind in root.__subclasses__():
        yield from tree(kind)


def test_the_table_is_the_tree() -> None:
    """No class is missing and none is there that does not exist."""
    assert set(STATUS_OF) == set(tree(RungsError))


@pytest.mark.parametrize(
    ("root", "statuses"), [(RequestError, range(400, 500)), (BusyError, (408, 429, 503)), (MediaError, (422,))]
)
def test_each_branch_answers_in_its_range(root: type[RungsError], statuses: range | tuple[int, ...]) -> None:
    """The caller's faults are 4xx, "later" is 503, 429, or 408 for who was too slow, unusable media 422."""
    assert {STATUS_OF[kind].value for kind in tree(root)} <= set(statuses)


def test_codes_are_unique() -> None:
    """A code names one class."""
    codes = [kind.code for kind in tree(RungsError)]
    assert len(codes) == len(set(codes))
