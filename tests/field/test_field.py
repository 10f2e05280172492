"""Files that came out wrong in the field, through the real stages in many segments, a line for each: `make test-field`.

What is right stands in the folder's README, and as a table in tests/field/cases.py.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from storage.model.job import Job, JobState
from storage.settings import Settings
from tests.field.cases import ANY, NONE, RIGHT, SOME, Right
from tests.field.looks import Made
from tests.support.coded_results import decoded_ways
from tests.support.coded_truth import unlike
from tests.support.driving import drive
from tests.support.exactness import SLOTS, local_services
from tests.support.media import field_root
from tests.support.missing import require
from tests.support.results import made

pytestmark = [pytest.mark.field, pytest.mark.timeout(300)]

HANDY_WIDTH = 1024  # pixels of pictures that are all in memory at once
NOT_MEDIA = frozenset({".md", ".py"})
TOLD_WITHIN = 0.3  # seconds that a warning's numbers may lie off
_NUMBER = re.compile(r"\d+(?:\.\d+)?")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make a test of each file of the folder or the table, or one that says that the folder is missing."""
    if "name" in metafunc.fixturenames:
        root = field_root()
        there = {path.name for path in root.iterdir() if path.suffix not in NOT_MEDIA} if root.is_dir() else set()
        metafunc.parametrize("name", sorted(there | set(RIGHT)) if root.is_dir() else [""])


def test_a_file_of_the_field_comes_out_right(name: str, tmp_path: Path, say: Callable[[str], None]) -> None:
    """MP4 and playlists hold what the README calls right, warnings and refusals say what it asks for."""
    if not field_root().is_dir():
        require("field", "set RUNGS_FIELD to the folder that holds the files of the field")
    assert name in RIGHT, "the table has no such file"
    job, came, wrong = examined(field_root() / name, RIGHT[name], tmp_path)
    say(f"{name:28} {'ok  ' if not wrong else 'FAIL'} {job.state:7} {came}")
    for sentence in wrong:
        say(f"{'':28}      {sentence}")
    assert not wrong


def examined(source: Path, right: Right, folder: Path) -> tuple[Job, str, list[str]]:
    """Take the file through the stages; return the job, what came out in a line, and what is unlike."""
    services = local_services(folder, SLOTS)
    job = drive(services, Settings(data_dir=folder / "data"), source)
    found = Made(source, job, {}, {})
    if job.state is JobState.READY:
        assert job.plan is not None
        handy = [rung for rung in job.plan.rungs if rung.width <= HANDY_WIDTH]
        ways = decoded_ways(services, job, (handy or job.plan.rungs[-1:])[0].name, folder)
        mp4 = {rung.name: made(services, job, f"{rung.name}.mp4") for rung in job.plan.rungs}
        found = Made(source, job, mp4, ways)
    return job, line(found), differences(found, right)


def differences(found: Made, right: Right) -> list[str]:
    """Return what is unlike, in words."""
    job = found.job
    is_open = right.truth is None and not right.refused  # one or the other is right, as `also` tells
    if job.state is JobState.FAILED and not is_open:
        assert job.error is not None
        return [] if job.error.code in right.refused else [f"refused: {job.error.code}"]
    if job.state is JobState.READY and right.refused:
        return [f"ready instead of {' or '.join(sorted(right.refused))}"]
    wrong = [*warned(job, right), *(sentence for look in right.also for sentence in look(found))]
    if right.truth is not None:
        for way, decoded in found.ways.items():
            came = decoded.came(framed=right.truth.framed)
            if not right.truth.beeps:  # `also` listens
                came = replace(came, beeps=None)
            wrong += [f"{way}: {sentence}" for sentence in unlike(came, right.truth)]
    return wrong


def warned(job: Job, right: Right) -> list[str]:
    """Return how the warnings differ from what is wanted."""
    codes = [warning.code for warning in job.warnings]
    wrong = list[str]()
    if right.warning == NONE and codes:
        wrong.append(f"warnings: {' '.join(codes)}")
    elif right.warning == SOME and not codes:
        wrong.append("no warning")
    elif right.warning not in {NONE, SOME, ANY, *codes}:
        wrong.append(f"no warning {right.warning}")
    if right.told and not any(tells(warning.message, right.told) for warning in job.warnings):
        wrong.append(f"no warning tells {' and '.join(f'{number:g}' for number in right.told)}")
    return wrong


def tells(message: str, numbers: tuple[float, ...]) -> bool:
    """Tell whether all these numbers stand in the message."""
    there = [float(text) for text in _NUMBER.findall(message)]
    return all(any(abs(one - wanted) <= TOLD_WITHIN for one in there) for wanted in numbers)


def line(found: Made) -> str:
    """Return what came out: rungs, frames, seconds, beeps, warnings; or the refusal."""
    job = found.job
    if job.error is not None:
        return f"{job.error.code}: {job.error.message}"
    assert job.plan is not None
    came = found.ways["MP4"].came()
    rungs = " ".join(f"{rung.width}x{rung.height}" for rung in job.plan.rungs)
    beeps = "no sound" if came.beeps is None else f"beeps {spans([beep.k for beep in came.beeps])}"
    codes = " ".join(warning.code for warning in job.warnings)
    seconds = len(came.times) / came.rate
    return f"{rungs}, {len(came.times)} pictures, {float(seconds):.2f} s at {float(came.rate):.2f}, {beeps} {codes}"


def spans(numbers: list[int]) -> str:
    """Return the numbers with runs drawn together."""
    runs = list[list[int]]()
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return " ".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs) or "none"
