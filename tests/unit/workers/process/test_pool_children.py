"""What a worker's main process does about children that died or hang."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest

from storage.broker.contract import queue_of
from storage.errors import JobStoreDownError
from storage.job_store.contract import Lease
from storage.model.job import Job, JobState
from storage.model.task import Stage, Task
from storage.services import Services
from storage.settings import Settings
from tests.support.driving import resume
from tests.support.job_store import OwnJobStore
from tests.support.jobs import claim, counted, encoding
from tests.support.memory_publisher import MemoryPublisher
from workers.process.pool_children import HUNG_LOOKS, Children, Pool, Running

DEAD = 4_000_123  # an id beyond any that Linux gives


@pytest.fixture
def task(own_services: Services) -> Task:
    """Give a task that is wanted, of which no message is out."""
    return Task(encoding(own_services.jobs).id, Stage.SEGMENT, 0)


@pytest.fixture
def children(own_services: Services, settings: Settings) -> Children:
    """Give the children of a worker."""
    settings.scratch_dir.mkdir(parents=True)
    return Children(own_services, settings)


@pytest.fixture
def child() -> Iterator[subprocess.Popen[bytes]]:
    """Run a process that stands for a pool child."""
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"])
    yield process
    process.kill()
    process.wait()


def name(pid: int) -> str:
    """Return the name of an attempt by this process of this machine."""
    return f"{socket.gethostname()}_{pid}_00ff00ff"


def taken(services: Services, task: Task) -> bool:
    """Take the task's message from the broker; tell whether there was one."""
    assert isinstance(services.publisher, MemoryPublisher)
    return services.publisher.deliver(queue_of(task)) is not None


def test_a_dead_childs_task_is_published_at_once(
    children: Children, own_services: Services, settings: Settings, task: Task
) -> None:
    """Its lease ends, its attempt is counted and remembered, and its folder is gone."""
    claim(own_services.jobs, task, name(DEAD))
    left = settings.scratch_dir / f"{name(DEAD)}.{task.job_id}.segment-0"
    left.mkdir()
    children.report_death(Running(task, DEAD))
    assert not left.exists()
    assert own_services.jobs.leases(task.job_id) == {}
    assert taken(own_services, task)
    (failed,) = own_services.jobs.get(task.job_id).failed_attempts
    assert (failed.code, failed.worker) == ("worker_lost", f"{socket.gethostname()}:{DEAD}")


def test_only_the_first_retry_is_immediate(
    children: Children, own_services: Services, settings: Settings, task: Task
) -> None:
    """Then the task rests; beyond the limit it is delivered once more, and whoever gets it ends the job."""
    published = []
    for _ in range(settings.attempts):
        claim(own_services.jobs, task, name(DEAD))
        children.report_death(Running(task, DEAD))
        published.append(taken(own_services, task))
        if not published[-1]:
            assert resume(own_services, own_services.jobs.get(task.job_id))
            assert taken(own_services, task)
    assert published == [True, False, True]
    assert counted(own_services.jobs, task) == settings.attempts


def test_a_death_without_a_claim_is_left_to_the_janitor(children: Children, own_services: Services, task: Task) -> None:
    """What died before its claim or after its result holds nothing; nor does it end what another attempt holds."""
    children.report_death(Running(task, DEAD))
    claim(own_services.jobs, task, name(DEAD - 1))
    children.report_death(Running(task, DEAD))
    assert own_services.jobs.leases(task.job_id) == {task.field: Lease(name(DEAD - 1), live=True)}
    assert not taken(own_services, task)


def test_a_child_that_is_told_to_end_gives_its_task_back(
    children: Children, own_services: Services, task: Task
) -> None:
    """A drain uses up no attempt, and nobody waits for the lease to run out."""
    claim(own_services.jobs, task, name(DEAD))
    children.report_death(Running(task, DEAD), told_to=True)
    assert own_services.jobs.leases(task.job_id) == {}
    assert taken(own_services, task)
    assert counted(own_services.jobs, task) == 0
    assert own_services.jobs.get(task.job_id).failed_attempts == ()


def test_a_death_after_the_jobs_end_publishes_what_nobody_wants(
    children: Children, own_services: Services, task: Task
) -> None:
    """The delivery is dropped then; what counts is that the lease ends, so that the job can be cleared."""
    claim(own_services.jobs, task, name(DEAD))
    own_services.jobs.move(task.job_id, JobState.CANCELLED)
    children.report_death(Running(task, DEAD))
    assert own_services.jobs.leases(task.job_id) == {}


class Away(OwnJobStore):
    """A store that is away as long as it is told to be."""

    away = False

    def leases(self, job_id: str) -> dict[str, Lease]:
        """See TaskStore.leases."""
        if self.away:
            raise JobStoreDownError(detail="It does not answer.")
        return super().leases(job_id)


def away(settings: Settings) -> tuple[Away, Children, Job]:
    """Return a store that can go away, children that work with it and a job of theirs."""
    settings.scratch_dir.mkdir(parents=True)
    jobs = Away()
    return jobs, Children(Services(jobs, None, MemoryPublisher()), settings), encoding(jobs)  # type: ignore[arg-type] # unused


def test_an_outage_does_not_stop_the_main_process(settings: Settings) -> None:
    """What cannot be reported is not: the worker goes on, and the lease runs out by itself."""
    jobs, children, job = away(settings)
    task = Task(job.id, Stage.POSTER)
    claim(jobs, task, name(DEAD))
    jobs.away = True
    children.report_death(Running(task, DEAD))
    children.look([Running(task, DEAD)])
    jobs.away = False
    assert jobs.leases(job.id) == {task.field: Lease(name(DEAD), live=True)}


def test_a_child_that_holds_nothing_is_killed(
    children: Children, own_services: Services, task: Task, child: subprocess.Popen[bytes]
) -> None:
    """Only after so many looks in a row: an attempt that ends, or waits to begin, is left alone."""
    running = Running(task, child.pid)
    claim(own_services.jobs, task, name(child.pid))
    children.look([running])
    own_services.jobs.release(task, name(child.pid))
    for _ in range(HUNG_LOOKS - 1):
        children.look([running])
    claim(own_services.jobs, task, name(child.pid))
    children.look([running])
    own_services.jobs.release(task, name(child.pid))
    for _ in range(HUNG_LOOKS - 1):
        children.look([running])
    assert child.poll() is None
    children.look([running])
    assert child.wait(5) == -9


def test_looks_during_an_outage_do_not_count(settings: Settings, child: subprocess.Popen[bytes]) -> None:
    """A child that cannot claim because Redis is away is not to blame."""
    jobs, children, job = away(settings)
    running = Running(Task(job.id, Stage.POSTER), child.pid)
    jobs.away = True
    for _ in range(2 * HUNG_LOOKS):
        children.look([running])
    jobs.away = False
    for _ in range(HUNG_LOOKS - 1):
        children.look([running])
    assert child.poll() is None


def test_a_pool_that_has_ended_has_no_processes() -> None:
    """Nor one that has not begun: what is asked for by their number is then nothing, not an error."""
    assert Pool(2).num_processes == 0
