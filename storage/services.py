"""The parts web and workers are given; `connect` makes the real ones."""

from __future__ import annotations

from dataclasses import dataclass

from storage.job_store import JobStore
from storage.object_store import ObjectStore
from storage.publishing import Publisher


@dataclass(frozen=True, slots=True)
class Services:
    """Everything outside the process, behind its contract."""

    jobs: JobStore
    objects: ObjectStore
    publisher: Publisher
