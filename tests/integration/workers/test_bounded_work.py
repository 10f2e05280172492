"""Planning takes what a file takes, not what its headers say: within MOST_BYTES and MOST_SECONDS for every kind."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.bombs import KINDS
from tests.support.planning_cost import cost_of

MOST_BYTES = 512 * 1024**2  # of the planner itself, and of each tool that it runs
MOST_SECONDS = 120.0  # of CPU, by all of them: tools that look for streams and at pictures have 60 s each
ENDS = {
    "samples of one byte": {"too_complex"},
    "streams": {"too_complex"},
    "pictures of 144 megapixels": {"picture_too_large"},
}
OTHERWISE = {"plan", "too_complex", "not_a_video", "no_frames"}


def within_budget(kind: str, size: int, folder: Path) -> str:
    """Plan a file of the kind and size; return a line for people. Fails where it takes more than it may."""
    path = folder / "upload"
    KINDS[kind][0](path, size)
    cost = cost_of(path)
    assert cost.own < MOST_BYTES
    assert cost.tool < MOST_BYTES
    assert cost.seconds < MOST_SECONDS
    assert cost.end in ENDS.get(kind, OTHERWISE) | (OTHERWISE if size < KINDS[kind][1] else set())
    megabytes, own, tool = path.stat().st_size / 1e6, cost.own >> 20, cost.tool >> 20
    return f"{kind:28} {size:12,} {megabytes:8.2f} MB {cost.end:18} {own:4} MiB {tool:4} MiB {cost.seconds:6.1f} s"


@pytest.mark.parametrize("kind", KINDS)
def test_planning_is_bounded(kind: str, tmp_path: Path) -> None:
    """A size that is beyond any video's, and small enough to be made at once."""
    within_budget(kind, KINDS[kind][1], tmp_path)


@pytest.mark.nasty
@pytest.mark.timeout(900)
@pytest.mark.parametrize("tenths", [1, 3, 10])
@pytest.mark.parametrize("kind", KINDS)
def test_planning_is_bounded_over_a_range_of_sizes(
    kind: str, tenths: int, tmp_path: Path, say: Callable[[str], None]
) -> None:
    """Up to sizes that a few megabytes may tell, or that an upload may have."""
    say(within_budget(kind, KINDS[kind][2] * tenths // 10, tmp_path))
