"""What is still there when everything should have settled: messages, keys, objects, files, processes."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from contextlib import suppress
from importlib.resources import files
from typing import Any

import redis

from storage.broker.contract import QUEUES
from storage.objects import keys
from storage.objects.s3 import S3ObjectStore
from storage.services import Services
from tests.chaos.installation import Installation
from tests.chaos.verdict import Remains
from tests.support.processes import arguments_of
from tests.support.waiting import wait_until
from workers.sandbox.fork_server import end_server

ENDING_SECONDS = 5.0  # a fork server sees the end of its worker a moment later, on a busy machine in a second
_UNACKED = ("unacked", "unacked_index")
# What kombu keeps for good or with an expiry: bindings of queues, and the lock of its sweep.
_KOMBU = re.compile(r"_kombu\.binding.+|unacked_mutex")
_NAMES = re.compile(r"rungs:[a-z-]+(?::<[a-z]+>)*")
# Of a job that has ended nothing may stand in these.
_OF_WORK = (
    "rungs:leases:",
    "rungs:interim:",
    "rungs:out:",
    "rungs:waiting",
    "rungs:unfinished",
    "rungs:notices",
    "rungs:leftovers",
    "rungs:unsaved",
    "rungs:counted",
    "rungs:work",
    "rungs:excess",
    "rungs:owners",
    "rungs:unbegun",
    "rungs:active",
    "rungs:planned",
    "rungs:starts-of:",
    "rungs:high-of:",
    "rungs:followed",
    "rungs:early:",
)


def documented_keys() -> re.Pattern[str]:
    """Return a pattern of the keys that the heads of the Redis scripts name; its group `job` is the job of a key."""
    folders = [files(package).joinpath("lua") for package in ("storage.job_store", "storage.broker")]
    texts = (file.read_text() for one in folders for file in one.iterdir() if file.name.endswith(".lua"))
    heads = (line for text in texts for line in text.splitlines() if line.startswith("--"))
    names = {name for line in heads for name in _NAMES.findall(line)}
    of_jobs = sorted(name.removesuffix(":<id>") for name in names if name.endswith(":<id>"))
    others = sorted(re.sub(r"<[a-z]+>", "[^:]+", name) for name in names if not name.endswith(":<id>"))
    return re.compile(f"(?:{'|'.join(of_jobs)}):(?P<job>[^:]+)|{'|'.join(others)}")


def work_keys(found: Collection[str]) -> Iterator[str]:
    """Yield the keys in which nothing stands when all work is done."""
    yield from (key for key in found if key.startswith(_OF_WORK))


def stray_keys(found: Collection[str], jobs: Collection[str]) -> Iterator[str]:
    """Yield the keys that nothing documents, those of jobs that are not there, and those of work that is over."""
    pattern = documented_keys()
    for key in sorted(found):
        if _KOMBU.fullmatch(key) or key in {*QUEUES, *_UNACKED}:
            continue
        match = pattern.fullmatch(key)
        if match is None or key.startswith(_OF_WORK) or (match["job"] is not None and match["job"] not in jobs):
            yield key


def what_remains(
    installation: Installation,
    services: Services,
    deleted: Collection[str],
    jobs: Collection[str],
    named: Collection[str],
) -> Remains:
    """Look everywhere; `jobs` are there, others were `deleted`.

    `named` are the addresses under /media that lead to something of the jobs.
    """
    assert isinstance(services.objects, S3ObjectStore)
    with redis.Redis.from_url(installation.redis_direct, decode_responses=True) as client:
        lasting = [key for key in client.keys("*") if client.ttl(key) < 0]  # the others go by themselves
    objects = tuple(services.objects.keys(""))
    # An upload that never became a job waits for the janitor's age limit. So does one by tus of which nothing came: the
    # answer to its creation was lost. What was deleted does not.
    known = {name(job) for job in jobs for name in (keys.original, keys.manifest, keys.planned, keys.ended)}
    known |= {address.replace("/media/", "renditions/", 1) for address in named}
    parts = tuple(keys.upload_parts(job) for job in jobs if keys.original(job) in objects)
    strays = tuple(key for key in objects if key not in known and not key.startswith(parts))
    owned = {*jobs, *deleted}
    young = tuple(key for key in strays if _is_young(key) and key.split("/")[1] not in owned)
    return Remains(
        messages=messages(installation),
        keys=tuple(stray_keys(lasting, jobs)),
        objects=tuple(key for key in strays if key not in young),
        scratch=tuple(installation.scratch()),
        processes=left_behind(installation),
        young_originals=young,
        young_writes=tuple(str(write.object_name) for write in services.objects._unfinished()),
    )


def _is_young(key: str) -> bool:
    return key.startswith(keys.ORIGINALS) or key == keys.upload_record(key.split("/")[1])


def left_behind(installation: Installation) -> tuple[str, ...]:
    """Return the processes that do not end though those are gone which they served."""
    end_server()  # our own: clips are looked at with the product's tools
    with suppress(AssertionError):
        wait_until(lambda: not installation.strangers(), seconds=ENDING_SECONDS, what="the end of what was left")
    return tuple(f"{pid} {' '.join(arguments_of(pid))[:80]}" for pid in installation.strangers())


def messages(installation: Installation) -> tuple[str, ...]:
    """Return what is left at the broker; RabbitMQ does not count what a worker holds at this moment."""
    if (server := installation.servers.rabbitmq) is not None:
        counts = {queue: server.waiting(queue) for queue in QUEUES}
        return tuple(f"{queue}: {count} messages" for queue, count in counts.items() if count)
    with redis.Redis.from_url(installation.redis_direct, decode_responses=True) as client:
        return tuple(messages_in(client))


def messages_in(client: Any) -> Iterator[str]:
    """Yield the messages in this Redis, those that workers hold too."""
    for queue in QUEUES:
        yield from (f"{queue}: {text[:80]}" for text in client.lrange(queue, 0, -1))
    yield from (f"unacked: {tag}" for tag in client.hkeys("unacked"))
    yield from (f"unacked_index: {tag}" for tag in client.zrange("unacked_index", 0, -1))
