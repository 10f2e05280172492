"""Ids that people type: checked before they become part of an address."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Annotated

import typer

from storage.model.job import JOB_ID
from web.client import texts
from web.client.failures import UsageError

JobIds = Annotated[list[str], typer.Argument(metavar="JOB", help="Ids of jobs.")]
OneJobId = Annotated[str, typer.Argument(metavar="JOB", help="The job's id.")]


def checked(ids: Iterable[str]) -> list[str]:
    """Return the ids. Raises UsageError, so that nothing else becomes part of an address."""
    found = list(ids)
    for job_id in found:
        if not re.fullmatch(JOB_ID, job_id):
            raise UsageError(texts.JOB_ID % job_id)
    return found
