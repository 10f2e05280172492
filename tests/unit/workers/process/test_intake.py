"""The intake of a worker: what it says of a change, and what kombu asks while it is closed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace

from structlog.testing import capture_logs

from storage.job_store.queue_contract import Pause
from workers.process.intake import Intake, ask_only_if
from workers.process.pause_policy import MachineState, Reserve

PLENTY = MachineState(scratch=5000, memory=None, load=0.0, stalled=0.0)
SHORT = replace(PLENTY, scratch=10)


def test_a_change_is_said_once() -> None:
    """With the reason and the figures; nothing while all stays as it is."""
    states: Iterator[MachineState] = iter((PLENTY, SHORT, SHORT, PLENTY, PLENTY))
    intake = Intake(lambda: next(states), Reserve(scratch=1000, memory=0))
    with capture_logs() as logs:
        pauses = []
        for _ in range(5):
            intake.look()
            pauses.append(intake.pause)
    assert pauses == [None, Pause.SCRATCH, Pause.SCRATCH, None, None]
    assert [(line["event"], line["short_of"], line["scratch"]) for line in logs] == [
        ("takes no work", Pause.SCRATCH, 10),
        ("takes work again", None, 5000),
    ]


def test_a_worker_that_pauses_tells_of_what_it_goes_on_with() -> None:
    """All slots while it takes work; then those that are at work, and none in the end."""
    states: Iterator[MachineState] = iter((PLENTY, SHORT))
    intake = Intake(lambda: next(states), Reserve(scratch=1000, memory=0))
    intake.look()
    assert [intake.slots_told(2, at_work) for at_work in (0, 2)] == [2, 2]
    intake.look()
    assert [intake.slots_told(2, at_work) for at_work in (3, 2, 1, 0)] == [2, 2, 1, 0]


def test_what_was_asked_is_listened_to_and_nothing_more_is_asked() -> None:
    """A closed intake hears the answer to an open question; kombu's own credit counts as before."""
    credit = {"kombu": True, "ours": True}
    channel = SimpleNamespace(_in_poll=False, qos=SimpleNamespace(can_consume=lambda: credit["kombu"]))
    ask_only_if(channel, lambda: credit["ours"])
    assert channel.qos.can_consume()
    credit["ours"] = False
    assert not channel.qos.can_consume()
    channel._in_poll = object()
    assert channel.qos.can_consume()
    credit["kombu"] = False
    assert not channel.qos.can_consume()
