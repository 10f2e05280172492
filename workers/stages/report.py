"""The report of a job: its plan, what each task took, and what became of it, as JSON beside the MP4s."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from storage.model.job import Changes
from storage.model.task import Results
from storage.objects import keys
from workers.attempts.attempt import Attempt
from workers.stages.common import plan_of

REPORT = "report.json"


def store_report(attempt: Attempt, results: Results, frames: int, found: Changes) -> None:
    """Store the report of a job with so many output frames; `found` is what its record is told when it is ready."""
    jobs, job = attempt.services.jobs, attempt.job
    report = {
        "plan": asdict(plan_of(job)),
        "segments": _each(jobs.segments(job.id)),
        "frames": frames,
        "tasks": results,
        "attempts": {"counted": jobs.attempts(job.id), "failed": _each(job.failed_attempts)},
        "outputs": _each(found.outputs or ()),
        "warnings": _each(found.warnings or ()),
        "damage": _each(found.damage or ()),
        "loudness": _each(found.measured or ()),
    }
    body = json.dumps(report, indent=2).encode()
    attempt.services.objects.put_bytes(keys.rendition(job.id, REPORT), body, content_type="application/json")


def _each(values: Iterable[Any]) -> list[dict[str, Any]]:
    return [asdict(value) for value in values]
