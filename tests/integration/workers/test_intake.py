"""kombu's parts that the intake rests on: they exist, and behave as it expects, on a real Redis."""

from __future__ import annotations

import pytest
from kombu.entity import Queue
from kombu.messaging import Consumer
from kombu.transport.redis import Channel

from storage.broker.contract import CONTROL_QUEUE
from storage.model.task import Stage, Task
from storage.services import Services
from web.routes.uploading import new_job_id
from workers.process.intake import ask_only_if


def test_a_closed_intake_asks_for_nothing(channel: Channel, services: Services) -> None:
    """A message stays in its queue as long as it is closed, and comes when it is open again."""
    taken: list[str] = []
    intake = {"open": False}
    ask_only_if(channel, lambda: intake["open"])
    client = channel.connection.client
    with Consumer(channel, [Queue(CONTROL_QUEUE)], on_message=lambda message: taken.append(message.delivery_tag)):
        services.publisher.publish(Task(new_job_id(), Stage.PLAN))
        with pytest.raises(TimeoutError):
            client.drain_events(timeout=1)
        assert (taken, channel._in_poll) == ([], False)
        assert len(services.publisher.pending()) == 1
        intake["open"] = True
        client.drain_events(timeout=20)
        assert len(taken) == 1


def test_an_answer_that_is_on_its_way_is_taken(channel: Channel, services: Services) -> None:
    """Closed after Redis was asked, it still hears the answer, and asks no more."""
    channel.brpop_timeout = 60  # so that the question is open however slow this machine is
    taken: list[str] = []
    intake = {"open": True}
    ask_only_if(channel, lambda: intake["open"])
    client = channel.connection.client
    with Consumer(channel, [Queue(CONTROL_QUEUE)], on_message=lambda message: taken.append(message.delivery_tag)):
        with pytest.raises(TimeoutError):
            client.drain_events(timeout=0.1)
        assert channel._in_poll
        intake["open"] = False
        services.publisher.publish(Task(new_job_id(), Stage.PLAN))
        client.drain_events(timeout=20)
        assert len(taken) == 1
        with pytest.raises(TimeoutError):
            client.drain_events(timeout=1.5)
        assert not channel._in_poll
