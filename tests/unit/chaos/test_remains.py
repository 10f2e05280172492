"""Which keys in Redis are strays: those that no head of a script documents, and those of nobody's job."""

from __future__ import annotations

from tests.chaos.remains import stray_keys

JOB = "0f" * 16


def test_documented_keys_of_known_jobs_may_stay() -> None:
    """The records of finished jobs, the lists, and what kombu keeps."""
    kept = [f"rungs:{name}:{JOB}" for name in ("job", "done", "attempts", "wanted", "frames", "events")]
    lists = [
        "rungs:events",
        "rungs:finished",
        "rungs:totals",
        "rungs:samples",
        "rungs:slots",
        "rungs:role:janitor",
    ]
    assert list(stray_keys([*kept, *lists, "rungs:owned-in:ready:local", "_kombu.binding.encode"], {JOB})) == []


def test_strays_are_told() -> None:
    """A key nobody documents, one of a job that is gone, and leases of work that is over."""
    strays = ["rungs:leases:" + JOB, "rungs:job:" + "1e" * 16, "rungs:secret", "celery-task-meta-1", "rungs:unfinished"]
    assert list(stray_keys(strays, {JOB})) == sorted(strays)
