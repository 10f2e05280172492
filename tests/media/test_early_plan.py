"""Every MP4 and MOV of ../shared/media, planned while it is being uploaded: the whole file's plan, or none yet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.early import ComingFile, remuxed
from tests.support.media import media_root
from tests.support.planning_cost import LIMITS
from workers.planning.early import early_plan
from workers.planning.plan_file import plan_file
from workers.sandbox.run import Watch

pytestmark = [pytest.mark.media, pytest.mark.timeout(600)]
PERCENT = (10, 30, 60, 90)
FILES = sorted(path.name for path in (media_root() / "happy").glob("*") if path.suffix in {".mp4", ".mov"})
FORMS = {"as it is": None, "index last": (), "index first": ("-movflags", "+faststart")}


def outcomes(path: Path) -> Iterator[str]:
    """Yield for each share whether the plan is there early, and is the one of the whole file."""
    coming, whole = ComingFile(path), plan_file(str(path), LIMITS, Watch())
    for percent in PERCENT:
        found = early_plan(coming.guess(len(coming.data) * percent // 100), LIMITS, Watch())
        yield "later" if found is None else "same" if (found.plan, found.segments) == whole else "other"


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", FILES or ["none"])
def test_an_early_plan_is_the_files(
    name: str, form: str, media_dir: Path, tmp_path: Path, say: Callable[[str], None]
) -> None:
    """At any time: what of it has not come is like what has, in all of these files."""
    options, path = FORMS[form], media_dir / "happy" / name
    if options is not None:
        path = remuxed(path, tmp_path / name, *options)
    found = Counter(outcomes(path))
    say(f"{name} {form}: {dict(found)}")
    assert not found["other"]
