"""Schemathesis against the real service: whatever the API's description allows is asked, and what it forbids."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from pydantic import SecretStr

from storage.model.job import GIVEN_UP, JobState
from storage.objects import keys
from storage.services.connect import connect
from storage.settings import Settings
from tests.schema.hooks import FILE, JOBS
from tests.support.jobs import make_job, make_plan
from tests.support.web_server import ROOT, WebServer

# No upload is refused for the many before it: what is tested is what is taken, not how much.
OPEN = {"ADMISSION_MAX_WAIT_SECONDS": "1000000000", "OWNER_MAX_JOBS": "1000000"}
CONFIG = ROOT / "tests" / "schema" / "schemathesis.toml"
# Coverage asks each operation what its schema borders on, fuzzing at random, stateful what was answered before.
PHASES = "examples,coverage,fuzzing,stateful"
_PATIENCE_SECONDS = 20.0  # for one answer: a busy machine is no bug


def jobs_that_ended(server: WebServer, redis_url: str) -> list[str]:
    """Put a job in each final state, with a file, into the service's stores; return their ids."""
    services = connect(Settings(redis_url=SecretStr(redis_url), data_dir=server.data), patience=_PATIENCE_SECONDS)
    jobs = [make_job(state=state, plan=make_plan()) for state in (JobState.READY, *sorted(GIVEN_UP))]
    for job in jobs:
        services.jobs.create(job)
        services.objects.put_bytes(keys.rendition(job.id, FILE), bytes(2000), content_type="video/mp4")
    return [job.id for job in jobs]


def ask(server: WebServer, redis_url: str, *, examples: int, seed: int) -> subprocess.CompletedProcess[str]:
    """Run all of schemathesis' checks with up to so many examples of each operation; return what it said."""
    arguments = {
        "--checks": "all",
        "--phases": PHASES,
        "--max-examples": str(examples),
        "--seed": str(seed),
        "--request-timeout": str(_PATIENCE_SECONDS),
        "--suppress-health-check": "all",  # they judge how fast examples are made
        "--generation-database": "none",
    }
    return subprocess.run(
        [
            *(
                sys.executable,
                "-m",
                "schemathesis.cli",
                "--config-file",
                str(CONFIG),
                "run",
                f"http://localhost:{server.port}/api/openapi.json",
            ),
            *(part for option in arguments.items() for part in option),
            *("--continue-on-failure", "--no-color"),
        ],
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "PYTHONHASHSEED": str(seed),
            "SCHEMATHESIS_HOOKS": "tests.schema.hooks",
            JOBS: ",".join(jobs_that_ended(server, redis_url)),
        },
        cwd=server.folder,  # it leaves files where it runs
        capture_output=True,
        text=True,
        check=False,
    )


def errors_logged(server: WebServer) -> str:
    """Return the lines of the service's log that it takes for errors of its own."""
    log = Path(server.folder / "log").read_text()
    return "\n".join(line for line in log.splitlines() if "[error]" in line)
