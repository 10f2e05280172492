"""Planning a file that is still being uploaded, over the real relay and ffprobe: the whole file's plan, or none yet."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest

from storage.errors import LeaseLostError, ObjectStoreDownError
from tests.support.clips import make_fragmented
from tests.support.early import ComingFile, remuxed
from tests.support.planning_cost import LIMITS
from workers.planning.early import early_plan
from workers.planning.plan_file import plan_file
from workers.sandbox.run import Watch

SHARES = (0.0, 0.1, 0.25, 0.5, 0.75, 0.95)


@pytest.fixture
def film(clip: Callable[..., Path]) -> Path:
    """Give a clip whose keyframes are seconds apart, as phones write them: its index is last."""
    return clip("early.mp4", seconds=20, size="640x360")


def plans(path: Path) -> list[bool | None]:
    """Return for each share of the file whether its early plan is that of the whole file, None without one."""
    whole, coming = plan_file(str(path), LIMITS, Watch()), ComingFile(path)
    early = [early_plan(coming.guess(round(len(coming.data) * share)), LIMITS, Watch()) for share in SHARES]
    return [None if found is None else (found.plan, found.segments) == whole for found in early]


def test_an_index_that_came_ahead_is_enough(film: Path) -> None:
    """With about a second of the media; the keyframes of what has not come are known by it."""
    assert plans(film) == [None, True, True, True, True, True]
    assert ComingFile(film).index is not None


def test_an_index_that_comes_first_is_enough(film: Path, tmp_path: Path) -> None:
    """Nothing is sent ahead then."""
    assert plans(remuxed(film, tmp_path / "first.mp4", "-movflags", "+faststart")) == [
        None,
        True,
        True,
        True,
        True,
        True,
    ]


def test_without_its_index_a_file_is_planned_when_it_is_whole(film: Path) -> None:
    """A client of tus alone sends none ahead."""
    coming = ComingFile(film)
    coming.index = None
    assert early_plan(coming.guess(len(coming.data) - 1000), LIMITS, Watch()) is None
    found = early_plan(coming.guess(len(coming.data)), LIMITS, Watch())
    assert found is not None
    assert (found.plan, found.segments) == plan_file(str(film), LIMITS, Watch())


@pytest.mark.parametrize("name", ["other.mkv", "other.ts"])
def test_other_containers_wait(film: Path, tmp_path: Path, name: str) -> None:
    """And so do fragments, whose index comes with them."""
    assert plans(remuxed(film, tmp_path / name)) == [None] * len(SHARES)
    pieces = make_fragmented(tmp_path / "pieces.mp4", frames=120, every=30, size="320x180", rate=Fraction(30))
    assert plans(pieces) == [None] * len(SHARES)


def test_what_is_no_video_is_left_to_the_plan(tmp_path: Path) -> None:
    """Nothing is refused by a guess."""
    path = tmp_path / "noise.mp4"
    path.write_bytes(b"\0\0\0\x10ftypisom\0\0\0\0\0\0\0\x20moov" + bytes(range(256)) * 400)
    assert early_plan(ComingFile(path).guess(50_000), LIMITS, Watch()) is None


def test_a_file_that_is_given_up_leaves_its_attempt(film: Path) -> None:
    """Which may go on with something else; one that is cancelled ends the planning."""
    coming, watch = ComingFile(film), Watch()
    coming.data = coming.data[: coming.data.index(b"moov") + 4] + bytes(range(250)) * 400
    assert early_plan(coming.guess(len(coming.data)), LIMITS, watch) is None
    coming = ComingFile(film)
    assert early_plan(coming.guess(5000), LIMITS, watch) is None
    assert not watch.cancelled.is_set()
    watch.cancelled.set()
    with pytest.raises(LeaseLostError):
        early_plan(coming.guess(len(coming.data) // 2), LIMITS, watch)


def test_a_store_that_is_away_is_no_judgement(film: Path) -> None:
    """It is tried again."""
    coming = ComingFile(film)

    def fail(*_: object) -> None:
        raise ObjectStoreDownError

    view = coming.guess(len(coming.data) // 2)
    coming.read = fail  # type: ignore[method-assign,assignment]
    with pytest.raises(ObjectStoreDownError):
        early_plan(view, LIMITS, Watch())


def test_an_index_that_lies_makes_another_plan(film: Path, tmp_path: Path) -> None:
    """Or none; and whoever compares the index with the file throws it away in any case."""
    data, whole = film.read_bytes(), plan_file(str(film), LIMITS, Watch())
    at = data.index(b"stts") + 16  # how long a picture lasts
    lying = tmp_path / "lying.mp4"
    lying.write_bytes(data[:at] + (7).to_bytes(4, "big") + data[at + 4 :])
    found = early_plan(ComingFile(lying).guess(len(data) // 2), LIMITS, Watch())
    assert found is None or (found.plan, found.segments) != whole
