"""Every video of ../shared/media/happy through the real stages in many segments, a line for each: `make test-exact`."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from pathlib import Path

import pytest

from storage.model.job import JobState
from tests.support.exactness import Exactness, examine
from tests.support.fenced import fence_tools
from tests.support.media import media_root

FILE_SECONDS = 1800.0  # for one file, with all those before it in the pool
PROCESSES = 2
# ffmpeg's own demuxer of fragments shows frames late by the B-frame delay it has met so far; other players go by the
# boxes (docs/design.md#encoding).
LATE_FRAMES = 2
OFF_GRID_SECONDS = 0.0005  # what ffprobe's rounding and a clock of 1/10000 s leave
pytestmark = [pytest.mark.exact, pytest.mark.timeout(FILE_SECONDS)]

Say = Callable[[str], None]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make a test of each file, or one that says that the folder is missing."""
    folder = media_root() / "happy"
    names = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else [""]
    metafunc.parametrize("happy", names)


@pytest.fixture(scope="module")
def examined(
    request: pytest.FixtureRequest, media_dir: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Future[Exactness]]]:
    """Give the measurements of all selected files, made by a pool of processes."""
    folder = tmp_path_factory.mktemp("exact")
    names = [
        str(item.callspec.params["happy"])
        for item in request.session.items
        if isinstance(item, pytest.Function) and item.module is request.module
    ]
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(PROCESSES, mp_context=context, initializer=fence_tools) as pool:
        yield {name: pool.submit(examine, media_dir / "happy" / name, folder / name) for name in names}
        pool.shutdown(cancel_futures=True)


def test_every_frame_is_the_planned_one(happy: str, examined: dict[str, Future[Exactness]], say: Say) -> None:
    """Planned, encoded, in the MP4s and through the playlists: as many frames, on the grid, each the source's own."""
    found = examined[happy].result()
    if happy.startswith("audio_"):
        assert found.error == "audio_only"
        return
    say(line(happy, found))
    assert (found.state, found.error) == (JobState.READY, "")
    assert found.encoded == found.planned
    for tracks in (found.mp4, found.hls, found.boxes):
        assert {rung: track.frames for rung, track in tracks.items()} == dict.fromkeys(tracks, found.planned)
    assert max(track.off_grid for track in (*found.mp4.values(), *found.boxes.values())) <= OFF_GRID_SECONDS
    assert max(track.off_grid for track in found.hls.values()) <= LATE_FRAMES * found.frame_seconds + OFF_GRID_SECONDS
    assert found.wrong == ()
    assert found.shifted == ()


def line(name: str, found: Exactness) -> str:
    """Return what was measured in one line."""
    tracks = (*found.mp4.values(), *found.boxes.values())
    counts = {found.planned, found.encoded, *(track.frames for track in (*tracks, *found.hls.values()))}
    return (
        f"{name[:36]:36} {found.segments:3} segments {'/'.join(map(str, sorted(counts))):>6} frames,"
        f" {len(found.mp4)} rungs, off the grid {max((t.off_grid for t in tracks), default=0) * 1e6:4.0f} us,"
        f" {found.compared:3} at joins compared, {len(found.shifted)} shifted, {len(found.wrong)} segments wrong"
        f" {found.seconds:6.1f} s {' '.join(known.message for known in found.warnings)}"
    )
