"""Taking work, and not while this machine is short of something: the messages stay in their queues for others.

What runs goes on. It is on the worker's event loop, for the reason the message keeper gives.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import structlog
from celery import bootsteps

from storage.job_store.queue_contract import Pause
from workers.process.pause_policy import MachineState, Reserve, pause_of

_log = structlog.get_logger()


class Intake:
    """Whether a worker takes work; `read` tells what its machine has left."""

    def __init__(self, read: Callable[[], MachineState], reserve: Reserve) -> None:
        self._read = read
        self._reserve = reserve
        self.pause: Pause | None = None

    def look(self) -> None:
        """Decide anew; a change is logged, once."""
        machine = self._read()
        found = pause_of(machine, self._reserve, self.pause)
        if found is not self.pause:
            say = _log.info if found is None else _log.warning
            say("takes work again" if found is None else "takes no work", short_of=found, **asdict(machine))
        self.pause = found

    def slots_told(self, slots: int, at_work: int) -> int:
        """Return the slots that this worker announces: all, or while it pauses those that are still at work.

        What those work on counts as handed out, and would keep the slots of others from work otherwise.
        """
        return slots if self.pause is None else min(slots, at_work)


class IntakeStep(bootsteps.StartStopStep):  # type: ignore[misc] # celery has no types
    """A consumer step: with each connection to the broker, puts the worker's intake before what fetches messages.

    RabbitMQ is asked by our own fetcher, which looks at the intake itself.
    """

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def start(self, consumer: Any) -> None:
        """Look before the first message comes."""
        consumer.app.intake.look()
        channel = consumer.task_consumer.channel
        if hasattr(channel, "unacked_index_key"):
            ask_only_if(channel, lambda: consumer.app.intake.pause is None)


def ask_only_if(channel: Any, is_open: Callable[[], bool]) -> None:
    """Let the channel of kombu's Redis transport ask for messages only while `is_open` says so.

    A question that Redis was asked before is still listened to, a second at most: the answer may be a message, which
    has left its queue and would be nobody's until then.
    """
    has_credit = channel.qos.can_consume

    def can_consume() -> bool:
        return bool(has_credit() and (is_open() or channel._in_poll))  # noqa: SLF001 - as Celery does; a test guards it

    channel.qos.can_consume = can_consume
