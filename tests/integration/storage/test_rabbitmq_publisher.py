"""RabbitMQ as broker: what is confirmed is kept, what is not is an error in time, and what was lost is missed."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from functools import partial

import pytest
from pydantic import SecretStr

from storage.broker.celery_app import HEARTBEAT_SECONDS, HOLDING_SECONDS
from storage.broker.contract import ENCODE_QUEUE, Publisher
from storage.errors import BrokerDownError
from storage.model.task import Stage, Task
from storage.services.connect import connect
from storage.settings import Settings
from tests.support.deliveries import task_of, work_off, worker_of
from tests.support.rabbitmq import RabbitMQServer
from tests.support.waiting import wait_until
from web.routes.uploading import new_job_id

WEB_PATIENCE = 1.0
# Beyond its patience a call may take one timeout for each step of connecting, and the machine may be busy.
SLACK = 5.0


@pytest.fixture
def publisher(rabbitmq_settings: Settings) -> Publisher:
    """Give a publisher as patient as the web service's."""
    return connect(rabbitmq_settings, patience=WEB_PATIENCE).publisher


@pytest.fixture
def gone(rabbitmq_server: RabbitMQServer, publisher: Publisher) -> Iterator[RabbitMQServer]:
    """Give a RabbitMQ that was killed after one task was published; it is there again after the test."""
    publisher.publish(segment(1))
    wait_until(lambda: rabbitmq_server.is_saved(ENCODE_QUEUE), what="a queue that bears a kill")
    rabbitmq_server.kill()
    yield rabbitmq_server
    if not rabbitmq_server.runs:
        rabbitmq_server.start()


@pytest.fixture
def frozen(rabbitmq_server: RabbitMQServer, publisher: Publisher) -> Iterator[RabbitMQServer]:
    """Give a RabbitMQ that takes connections and answers nothing."""
    publisher.publish(segment(1))
    os.kill(rabbitmq_server.pid, signal.SIGSTOP)
    yield rabbitmq_server
    os.kill(rabbitmq_server.pid, signal.SIGCONT)


JOB_ID = new_job_id()


def segment(index: int) -> Task:
    """Return one of the job's segments; all from 1 on share a queue."""
    return Task(JOB_ID, Stage.SEGMENT, index)


def fields(publisher: Publisher) -> set[str]:
    """Return the fields of the tasks that wait."""
    return {field for _, field in publisher.pending()}


def assert_fails_in_time(call: Callable[[], object]) -> None:
    """Check that the call raises BrokerDownError, with its cause, after its patience and not much later."""
    begun = time.monotonic()
    with pytest.raises(BrokerDownError) as caught:
        call()
    assert WEB_PATIENCE * 0.9 <= time.monotonic() - begun < WEB_PATIENCE + SLACK
    assert caught.value.__cause__ is not None


def test_what_was_published_survives_a_kill(gone: RabbitMQServer, publisher: Publisher) -> None:
    """A call that returned is on disk; meanwhile one clear error in time, afterwards the same objects work again."""
    assert_fails_in_time(lambda: publisher.publish(segment(2)))
    assert_fails_in_time(publisher.pending)
    gone.start()
    wait_until(lambda: gone.waiting(ENCODE_QUEUE) == 1, what="the message that was published")
    assert fields(publisher) == {"segment:1"}
    publisher.publish(segment(3))
    assert fields(publisher) == {"segment:1", "segment:3"}


def test_a_frozen_rabbitmq_blocks_nobody_for_ever(frozen: RabbitMQServer, publisher: Publisher) -> None:
    """A RabbitMQ that takes connections and answers nothing counts as away."""
    assert frozen.runs
    assert_fails_in_time(lambda: publisher.publish(segment(2)))
    assert_fails_in_time(publisher.pending)


def test_a_deleted_queue_is_missed_and_made_again(rabbitmq_server: RabbitMQServer, publisher: Publisher) -> None:
    """What somebody deleted with its queue is pending no more, and no message is confirmed into nowhere."""
    publisher.publish(segment(1))
    rabbitmq_server.delete_queues()
    assert publisher.pending() == frozenset()
    publisher.publish(segment(2))
    assert rabbitmq_server.waiting(ENCODE_QUEUE) == 1


def test_a_message_lost_from_a_busy_queue_is_missed(
    publisher: Publisher, rabbitmq_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A note without a message is void when a message that came well after it was taken, however full the queue."""
    monkeypatch.setattr("storage.broker.tally.SLACK_SECONDS", 0.05)
    publisher.publish(segment(1))
    with worker_of(rabbitmq_settings) as worker:
        worker.take(ENCODE_QUEUE).ack()  # by somebody who died before saying so
    time.sleep(0.1)
    for index in (2, 3):
        publisher.publish(segment(index))
    assert fields(publisher) == {"segment:1", "segment:2", "segment:3"}
    assert work_off(publisher, rabbitmq_settings, ENCODE_QUEUE) == segment(2)
    assert fields(publisher) == {"segment:3"}


def test_what_comes_back_goes_to_the_head(publisher: Publisher, rabbitmq_settings: Settings) -> None:
    """A message that was given back, or whose worker died, is delivered next."""
    for index in (1, 2, 3):
        publisher.publish(segment(index))
    with worker_of(rabbitmq_settings) as worker:
        worker.take(ENCODE_QUEUE).requeue()
        assert task_of(worker.take(ENCODE_QUEUE)) == segment(1)
    assert [work_off(publisher, rabbitmq_settings, ENCODE_QUEUE) for _ in range(3)] == [segment(n) for n in (1, 2, 3)]


def test_options_reach_the_library(rabbitmq_settings: Settings) -> None:
    """Confirms, timeouts and heartbeat are those of py-amqp's connection, and the queues are quorum queues."""
    with worker_of(rabbitmq_settings) as worker:
        connection = worker.app.connection_for_read(heartbeat=worker.app.conf.broker_heartbeat)
        amqp = connection.connection
        assert (amqp.confirm_publish, amqp.read_timeout, amqp.write_timeout) == (True, 2.0, 2.0)
        assert amqp.heartbeat == HEARTBEAT_SECONDS
        connection.release()
        for queue in worker.app.amqp.queues.values():
            assert queue.queue_arguments["x-queue-type"] == "quorum"
            assert queue.queue_arguments["x-consumer-timeout"] == HOLDING_SECONDS * 1000


def test_tls_wants_a_certificate_of_the_servers_name(
    rabbitmq_settings: Settings, rabbitmq_server: RabbitMQServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Messages and password go to a server that proves its name, not to another name or an unknown authority."""

    def publishing_to(host: str) -> Callable[[], None]:
        url = SecretStr(f"amqps://guest:guest@{host}:{rabbitmq_server.tls_port}//")
        settings = rabbitmq_settings.model_copy(update={"broker_url": url})
        return partial(connect(settings, patience=WEB_PATIENCE).publisher.publish, segment(1))

    def assert_distrusted(publish: Callable[[], None]) -> None:
        with pytest.raises(BrokerDownError) as caught:
            publish()
        assert "certificate" in caught.value.detail

    assert_distrusted(publishing_to("127.0.0.1"))
    monkeypatch.setenv("SSL_CERT_FILE", str(rabbitmq_server.certificate))
    assert_distrusted(publishing_to("127.1"))
    publishing_to("127.0.0.1")()
    assert rabbitmq_server.waiting(ENCODE_QUEUE) == 1
