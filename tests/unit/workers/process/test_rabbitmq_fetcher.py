"""Fetching by slot: which queue is asked, when to stop, and what is left out of Celery's own worker."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from celery.worker import state
from celery.worker.consumer import Consumer

from storage.broker.contract import ENCODE_QUEUE, FIRST_QUEUE
from workers.process.rabbitmq_fetcher import _WorkerConsumer, fetch, free_slots


class _Request:
    """A message in hand; Celery's state refers to it weakly."""


class _Worker:
    """A consumer of `slots` slots over queues of so many messages; what it is given it works on for ever."""

    def __init__(self, slots: int, **messages: int) -> None:
        self.pool = SimpleNamespace(num_processes=slots)
        self.task_consumer = self
        self.accept = {"application/json"}
        self.queues = [_Queue(name, count) for name, count in messages.items()]
        self.taken: list[str] = []
        self.busy: list[_Request] = []

    def on_message(self, message: str) -> None:
        """Begin with a message."""
        self.taken.append(message)
        self.busy.append(_Request())
        state.reserved_requests.add(self.busy[-1])


class _Queue:
    """A queue and its channel; `rivals` are messages that others take between look and get."""

    def __init__(self, name: str, count: int) -> None:
        self.name = name
        self.channel = self
        self.message_count = count
        self.rivals = 0

    def queue_declare(self, name: str, *, passive: bool) -> Any:
        """Answer a look."""
        assert (name, passive) == (self.name, True)
        return self

    def get(self, *, accept: set[str]) -> str | None:
        """Give a message."""
        assert accept == {"application/json"}
        self.message_count -= 1
        if self.rivals:
            self.rivals -= 1
            return None
        return self.name


@pytest.fixture(autouse=True)
def _nothing_in_hand() -> Iterator[None]:
    """Leave Celery's state, which is the process's, as it was."""
    yield
    state.reserved_requests.clear()


def test_each_free_slot_gets_one_message() -> None:
    """Three slots and four messages: the first queue is emptied first, and a busy worker takes nothing more."""
    worker = _Worker(3, **{FIRST_QUEUE: 2, ENCODE_QUEUE: 2})
    fetch(worker)
    assert worker.taken == [FIRST_QUEUE, FIRST_QUEUE, ENCODE_QUEUE]
    assert free_slots(worker) == 0
    fetch(worker)
    assert len(worker.taken) == 3


def test_a_slot_that_becomes_free_takes_from_the_first_queue_again() -> None:
    """What came into the first queue meanwhile goes before what has long waited in the second."""
    worker = _Worker(1, **{FIRST_QUEUE: 0, ENCODE_QUEUE: 2})
    fetch(worker)
    worker.queues[0].message_count = 1
    state.reserved_requests.clear()
    fetch(worker)
    assert worker.taken == [ENCODE_QUEUE, FIRST_QUEUE]


def test_a_message_that_another_worker_took_is_no_message() -> None:
    """The queue is left for this time, and the next one asked."""
    worker = _Worker(1, **{FIRST_QUEUE: 1, ENCODE_QUEUE: 1})
    worker.queues[0].rivals = 1
    fetch(worker)
    assert worker.taken == [ENCODE_QUEUE]


def test_celery_has_the_step_that_is_left_out() -> None:
    """Under another name its 28 queues would come back in silence."""
    left_out = set(Consumer.Blueprint.default_steps) - set(_WorkerConsumer.Blueprint.default_steps)
    assert left_out == {"celery.worker.consumer.delayed_delivery:DelayedDelivery"}
