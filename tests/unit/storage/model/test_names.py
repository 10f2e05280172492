"""Names of workers and attempts: what is written is read again, whatever the host is called."""

from __future__ import annotations

import pytest

from storage.model.names import AttemptName, WorkerName


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("machine:17", WorkerName("machine", 17)),
        ("fe80::1:17", WorkerName("fe80::1", 17)),
        ("machine", WorkerName("machine")),
        (":17", WorkerName(":17")),
        ("machine:\u0661", WorkerName("machine:\u0661")),
    ],
)
def test_workers_are_read_as_they_are_written(text: str, name: WorkerName) -> None:
    """Host and process id; anything else is a host."""
    assert (WorkerName.of(text), str(name)) == (name, text)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("machine_17_0badcafe", AttemptName(WorkerName("machine", 17), "0badcafe")),
        ("my_old_machine_17_0badcafe", AttemptName(WorkerName("my_old_machine", 17), "0badcafe")),
        ("a", AttemptName(WorkerName("a"))),
        ("a_b", AttemptName(WorkerName("a_b"))),
        ("my_old_machine", AttemptName(WorkerName("my_old_machine"))),
        ("", AttemptName(WorkerName(""))),
    ],
)
def test_attempts_are_read_as_they_are_written(text: str, name: AttemptName) -> None:
    """Host, process id and the rest; anything else is a host."""
    assert (AttemptName.of(text), str(name)) == (name, text)
