"""What publishing means to Celery and kombu on each broker: their messages and their options."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from celery import Celery

from storage.broker.contract import CONTROL_QUEUE, ENCODE_QUEUE, FIRST_QUEUE, TASK_NAMES, Publisher
from storage.model.task import Stage, Task
from storage.services.connect import connect
from storage.settings import Settings
from tests.support.deliveries import PATIENCE, Worker, task_of, worker_of
from web.routes.uploading import new_job_id


@pytest.fixture(params=["real_settings", "rabbitmq_settings"], ids=["redis", "rabbitmq"])
def broker_settings(request: pytest.FixtureRequest) -> Settings:
    """Give the settings of each broker in turn; it holds nothing."""
    settings: Settings = request.getfixturevalue(request.param)
    return settings


@pytest.fixture
def publisher(broker_settings: Settings) -> Publisher:
    """Give the publisher of that broker."""
    return connect(broker_settings, patience=PATIENCE).publisher


@pytest.fixture
def worker(broker_settings: Settings) -> Iterator[Worker]:
    """Give somebody who takes messages."""
    with worker_of(broker_settings) as worker:
        yield worker


def test_a_message_is_what_celery_expects(publisher: Publisher, worker: Worker) -> None:
    """Name, arguments and a task id that tells the job; no result is wanted; the body is JSON and durable."""
    task = Task(new_job_id(), Stage.SEGMENT, 3)
    publisher.publish(task)
    message = worker.take(ENCODE_QUEUE)
    args, kwargs, _ = message.decode()
    assert (message.headers["task"], args, kwargs) == (TASK_NAMES[Stage.SEGMENT], [task.job_id, 3], {})
    assert message.headers["id"].startswith(f"{task.job_id}/segment:3/")
    assert message.content_type == "application/json"
    assert message.headers["eta"] is None
    assert message.properties["delivery_mode"] == 2
    message.ack()


def test_a_message_given_back_is_pending(publisher: Publisher, worker: Worker) -> None:
    """A message that was rejected and queued again keeps what tells its task."""
    task = Task(new_job_id(), Stage.AUDIO)
    publisher.publish(task)
    worker.take(FIRST_QUEUE).requeue()
    assert publisher.pending() == {(task.job_id, task.field)}
    assert task_of(worker.take(FIRST_QUEUE)) == task


def test_messages_of_others_are_not_ours(publisher: Publisher, worker: Worker) -> None:
    """What Celery or a person put into our queues does not confuse the count."""
    worker.app.send_task("celery.ping", queue=CONTROL_QUEUE)
    assert publisher.pending() == frozenset()


def test_every_option_is_one_that_celery_knows(worker: Worker) -> None:
    """A misspelt option would be kept and ignored in silence."""
    known = set(Celery("plain", set_as_current=False).conf.keys())
    assert set(worker.app.conf.changes) <= known


def test_a_worker_outlives_its_broker_and_obeys_nobody(worker: Worker) -> None:
    """What holds on every broker: late acknowledgement, one message a slot, reconnecting for ever, no commands."""
    conf = worker.app.conf
    assert (conf.task_acks_late, conf.worker_prefetch_multiplier) == (True, 1)
    assert conf.broker_connection_max_retries is None
    assert conf.worker_cancel_long_running_tasks_on_connection_loss is False
    assert conf.worker_enable_remote_control is False
