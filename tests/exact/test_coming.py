"""Real files that come slowly, with breaks, and are encoded meanwhile: to the byte what the same file gives at once."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from storage.model.job import JobState
from storage.settings import Settings
from tests.support.coming import SLOTS, Coming, split
from tests.support.driving import drive
from tests.support.early import remuxed
from tests.support.exactness import local_services
from tests.support.results import digests

pytestmark = [pytest.mark.exact, pytest.mark.timeout(900)]

# Sound in 5.1; a camera's; five minutes in mono.
FILES = ("bbb_480p24_5.1aac_30s.mp4", "sam2_dog_720p30_aac_tmcd.mp4", "counter_320x240_300s_mono.mp4")
LAST_SHARE = 0.97  # all that comes before the last byte
STEPS = (0.02, 0.2)


@pytest.mark.parametrize("layout", ["index last", "index first"])
@pytest.mark.parametrize("name", FILES)
def test_what_comes_slowly_is_what_comes_at_once(
    name: str, layout: str, media_dir: Path, tmp_path: Path, say: Callable[[str], None]
) -> None:
    """Every video, fragment, playlist and picture; and some of it was encoded before the last byte."""
    options = ("-movflags", "+faststart") if layout == "index first" else ()
    path = remuxed(media_dir / "happy" / name, tmp_path / name, *options)
    services = local_services(tmp_path / "at-once", SLOTS)
    job = drive(services, Settings(data_dir=tmp_path / "at-once"), path)
    assert (job.state, job.error) == (JobState.READY, None)
    at_once = digests(services, job.id)

    data, index = (path.read_bytes(), None) if options else split(path)
    services, chance, share = local_services(tmp_path / "slowly", SLOTS), random.Random(name), 0.0
    coming = Coming(services, Settings(data_dir=tmp_path / "slowly"), data, index)
    while share < LAST_SHARE:
        share = min(LAST_SHARE, share + chance.uniform(*STEPS))
        coming.send(share)
    early = coming.done_early
    slow = coming.end()
    say(f"{name} {layout}: {len(early)} of {len(services.jobs.segments(slow.id))} segments and sounds early")
    assert (slow.state, slow.error) == (JobState.READY, None)
    assert early
    assert digests(services, slow.id) == at_once
