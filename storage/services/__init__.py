"""The parts web and workers are given; `connect` makes the real ones."""

from __future__ import annotations

from dataclasses import dataclass

from storage.broker.contract import Publisher
from storage.job_store.contract import JobStore
from storage.objects.contract import ObjectStore


@dataclass(frozen=True, slots=True)
class Services:
    """Everything outside the process, behind its contract."""

    jobs: JobStore
    objects: ObjectStore
    publisher: Publisher
