"""What an operator does to containers while they encode: nothing is lost, nothing has to be mended by hand."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.compose import READY_SECONDS, Stack
from tests.support.looking import frame_times
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.compose, pytest.mark.timeout(1500)]

FRAMES = 30 * 25


@pytest.fixture
def encoding(stack: Stack, clip: Callable[..., Path]) -> Iterator[dict[str, Any]]:
    """Give a job of many segments that three encoders work on."""
    stack.compose("up", "--detach", "--scale", "encoder=3", seconds=READY_SECONDS)
    wait_until(stack.all_healthy, seconds=READY_SECONDS, what="every container healthy")
    job = stack.upload(clip("long.mp4", seconds=30, size="1920x1080", rate="25"))
    wait_until(lambda: stack.job(job["id"])["progress"] > 0.1, seconds=READY_SECONDS, what="some of it encoded")
    yield job
    stack.ask("DELETE", f"/api/jobs/{job['id']}")


def assert_whole(stack: Stack, job_id: str, folder: Path) -> None:
    """Check that the job is ready and its smallest video has every frame once."""
    job = stack.ended(job_id)
    assert job["state"] == "ready", job["error"]
    video = folder / "480p.mp4"
    video.write_bytes(stack.ask("GET", job["rungs"][-1]["url"])[2])
    times = frame_times(video)
    assert len(times) == len(set(times)) == FRAMES


def test_a_killed_encoder_container_costs_no_job(stack: Stack, encoding: dict[str, Any], tmp_path: Path) -> None:
    """What `docker kill -s KILL` cut off goes on in the other encoders."""
    killed = stack.compose("ps", "--quiet", "encoder").split()[0]
    subprocess.run(["docker", "kill", "--signal", "KILL", killed], check=True, capture_output=True)
    assert_whole(stack, encoding["id"], tmp_path)


def test_a_restart_of_redis_costs_no_job(stack: Stack, encoding: dict[str, Any], tmp_path: Path) -> None:
    """Records, queues and leases are there again, and nobody has to start anything else."""
    stack.compose("restart", "redis", seconds=READY_SECONDS)
    assert_whole(stack, encoding["id"], tmp_path)


def test_fewer_encoders_hand_back_what_they_hold(stack: Stack, encoding: dict[str, Any], tmp_path: Path) -> None:
    """Scaling from three to one while they encode loses no work and counts no failed attempt."""
    stack.compose("up", "--detach", "--scale", "encoder=1", seconds=READY_SECONDS)
    assert len(stack.compose("ps", "--quiet", "encoder").split()) == 1
    assert_whole(stack, encoding["id"], tmp_path)
    assert stack.job(encoding["id"])["failed_attempts"] == []
