"""An upload that is encoded while it comes, through the containers, and is called off in the middle."""

from __future__ import annotations

import json
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest

from tests.support.coming import split
from tests.support.compose import READY_SECONDS, Stack
from tests.support.tus_client import OFFSET_TYPE, ask_tus, create_upload
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.compose, pytest.mark.timeout(1500)]

SHARE = 0.9  # of the file comes
# Says which early tasks of a job are at work, and what there is of it in the store.
_OF_JOB = """
import json, sys
from storage.services.connect import connect
from storage.settings import load_settings
services, job_id = connect(load_settings(), patience=5), sys.argv[1]
leases = services.jobs.leases(job_id)
print(json.dumps({
    "work": [field for field, lease in leases.items() if field.startswith("early-") and lease.live],
    "objects": [key for key in services.objects.keys("") if job_id in key],
}))
"""


def of_job(stack: Stack, job_id: str) -> dict[str, list[str]]:
    """Return what the janitor's container sees of a job."""
    said: dict[str, list[str]] = json.loads(stack.inside("janitor", "python", "-c", _OF_JOB, job_id))
    return said


def is_under_way(seen: dict[str, Any]) -> bool:
    """Tell whether segments are at work, some are there, and parts of the upload are."""
    made = any(key.startswith("renditions/") for key in seen["objects"])
    parts = any(key.startswith("parts/") for key in seen["objects"])
    return made and parts and any(field.startswith("early-segment") for field in seen["work"])


def test_a_cancelled_upload_takes_its_early_work_with_it(stack: Stack, clip: Callable[..., Path]) -> None:
    """Who encodes it stops, and nothing is left of its parts, of its index or of what was made."""
    data, (begin, index) = split(clip("early.mp4", seconds=60, size="1920x1080", rate="25"))
    place = create_upload(stack, len(data))
    job_id = place.rpartition("/")[2]
    of_index = {"Upload_Offset": str(begin), "Content_Type": OFFSET_TYPE}
    assert ask_tus(stack, "PUT", f"{place}/index", index, **of_index).status == HTTPStatus.NO_CONTENT
    some = data[: round(len(data) * SHARE)]
    sent = ask_tus(stack, "PATCH", place, some, Upload_Offset="0", Content_Type=OFFSET_TYPE)
    assert sent.status == HTTPStatus.NO_CONTENT
    wait_until(lambda: is_under_way(of_job(stack, job_id)), seconds=READY_SECONDS, what="early work")
    wait_until(lambda: stack.job(job_id)["poster_url"], seconds=READY_SECONDS, what="a poster")
    assert stack.ask("POST", f"/api/jobs/{job_id}/cancel")[0] == HTTPStatus.OK
    gone: dict[str, list[str]] = {"work": [], "objects": []}
    wait_until(lambda: of_job(stack, job_id) == gone, seconds=READY_SECONDS, what="the end of all of it")
    assert stack.job(job_id)["state"] == "cancelled"
    assert ask_tus(stack, "HEAD", place).status == HTTPStatus.GONE
