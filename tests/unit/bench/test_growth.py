"""The bench of growth judges what it is to judge: by ratio and by bytes, with the most jobs, and single calls apart."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from tests.bench.growing import FIGURES, FINISHED_BYTES, PACE, POST, RATIO, WAITING_BYTES, Growth, Stage
from tests.bench.redis_calls import LEAST_CALLS, calls_of, longest, script_names
from tests.bench.resting import part_of

NOTHING: Mapping[str, float] = {}
EVEN = {name: 2.0 for figure in FIGURES for name in figure.names}


def stage(waiting: int, redis: int, times: Mapping[str, float], *, finished: int = 0) -> Stage:
    """Return a stage in which these figures are so many times what they are beside it."""
    return Stage(waiting, finished, {name: value * times.get(name, 1.0) for name, value in EVEN.items()}, EVEN, redis)


def growth(
    most: Mapping[str, float] = NOTHING,
    *,
    middle: Mapping[str, float] = NOTHING,
    finished: Mapping[str, float] = NOTHING,
    waiting_bytes: int = WAITING_BYTES,
    finished_bytes: int = FINISHED_BYTES,
) -> Growth:
    """Return what was measured: times as much in each stage, and bytes of Redis a job."""
    stages = [
        stage(size, 5_000_000 + waiting_bytes * size, times)
        for size, times in ((100, NOTHING), (1_000, middle), (10_000, most))
    ]
    before = stages[0].redis
    return Growth(stages, stage(100, before + 100_000 * finished_bytes, finished, finished=100_000), before)


def test_what_does_not_grow_is_within_its_bounds() -> None:
    """At the bounds themselves, however noisy the machine was."""
    found = growth({POST: RATIO, PACE: 9.0})
    assert list(found.beyond()) == []
    assert "**no**" not in found.table()


@pytest.mark.parametrize("name", [figure.names[-1] for figure in FIGURES if figure.judged])
def test_each_figure_that_grows_is_named(name: str) -> None:
    """With the most waiting jobs and beside finished ones; in between nothing is judged."""
    more = {name: RATIO + 0.01}
    assert list(growth(middle=more).beyond()) == []
    for found, where in ((growth(more), "10,000 waiting"), (growth(finished=more), "100,000 finished")):
        (said,) = found.beyond()
        assert said.startswith(name)
        assert where in said
        assert found.table().count("**no**") == 1


@pytest.mark.parametrize(("waiting", "finished"), [(1, 0), (0, 1)])
def test_a_job_that_takes_too_much_of_redis_is_named(waiting: int, finished: int) -> None:
    """One byte too many is."""
    found = growth(waiting_bytes=WAITING_BYTES + waiting, finished_bytes=FINISHED_BYTES + finished)
    assert [said.partition(":")[0] for said in found.beyond()] == ["Redis"]
    assert found.table().count("**no**") == 1


def entry(command: bytes, microseconds: int, address: bytes = b"127.0.0.1:5") -> dict[str, Any]:
    """Return an entry of the slow log as redis-py gives it."""
    return {"command": command, "duration": microseconds, "client_address": address}


def test_calls_have_the_names_of_their_scripts() -> None:
    """Those that stand alone and those that do not; what a script calls and what the bench asks are no calls."""
    names = script_names()
    issue, move = (next(sha for sha, name in names.items() if name == wanted) for wanted in ("issue", "move"))
    logged = [
        entry(f"EVALSHA {issue} 1 key".encode(), 400),
        entry(f"EVALSHA {move} 0".encode(), 300),
        entry(b"EVALSHA 0123456789abcdef 0", 200),
        entry(b"HGETALL key", 100),
        entry(b"HGETALL key", 90, b"?:0"),
        entry(b"SLOWLOG GET 5", 80),
    ]
    assert list(calls_of(logged, names)) == [("issue", 4e-4), ("move", 3e-4), ("01234567", 2e-4), ("HGETALL", 1e-4)]


def test_one_slow_call_is_not_the_longest_script() -> None:
    """It is told apart; a script that was hardly called is not compared."""
    took = {
        "steady": [2.0] * LEAST_CALLS,
        "once": [1.0] * (2 * LEAST_CALLS) + [50.0],
        "rare": [9.0] * (LEAST_CALLS - 1),
    }
    found = longest(took)
    assert (found.name, found.p95, found.single_name, found.single) == ("steady", 2.0, "once", 50.0)
    with pytest.raises(RuntimeError):
        longest({"rare": took["rare"]})


@pytest.mark.parametrize(
    ("line", "part"),
    [
        ("python3 -m web", "web"),
        ("python3 -m workers control", "control"),
        ("python3 -m workers janitor", "janitor"),
        ("redis-server 127.0.0.1:6379", "Redis"),
        ("python3 -m workers encode", None),
        ("", None),
    ],
)
def test_parts_are_told_by_their_command_lines(line: str, part: str | None) -> None:
    """Encoders rest because they are held back, and are not measured."""
    assert part_of(line.split()) == part
