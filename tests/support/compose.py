"""A Compose project of its own, as an operator sees it: `docker compose`, and HTTP through nginx."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.waiting import wait_until

ROOT = Path(__file__).resolve().parents[2]
READY_SECONDS = 300.0
RUN_ONCE = {"keys", "rights"}
FINISHED = {"ready", "failed", "cancelled"}


@dataclass(frozen=True, slots=True)
class Stack:
    """A running Compose project of its own name on a free port."""

    project: str
    port: int

    def compose(self, *arguments: str, seconds: float = 60) -> str:
        """Run `docker compose` for this project and return what it printed."""
        command = ["docker", "compose", "--project-name", self.project, *arguments]
        known = {name: value for name, value in os.environ.items() if name not in {"HOST", "ENCODERS"}}
        result = subprocess.run(
            command,
            cwd=ROOT,
            env={**known, "PORT": str(self.port)},
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
        assert result.returncode == 0, f"{' '.join(command)}\n{result.stdout[-2000:]}\n{result.stderr[-6000:]}"
        return result.stdout

    def inside(self, service: str, *command: str, seconds: float = 60) -> str:
        """Run a command in a running container of the service, as its user; return what it printed."""
        return self.compose("exec", "-T", service, *command, seconds=seconds)

    def containers(self) -> dict[str, dict[str, Any]]:
        """Return what the engine knows of a container of each service, those that ended too."""
        ids = self.compose("ps", "--all", "--quiet").split()
        text = subprocess.run(["docker", "inspect", *ids], capture_output=True, text=True, check=True).stdout
        return {one["Config"]["Labels"]["com.docker.compose.service"]: one for one in json.loads(text)}

    def services(self) -> list[dict[str, Any]]:
        """Return what the engine says of each container, those that ended too."""
        lines = self.compose("ps", "--all", "--format", "json").splitlines()
        return [json.loads(line) for line in lines]

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, dict[str, str], bytes]:
        """Return status, headers (lower case) and body of an answer through nginx."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
            answer = connection.getresponse()
            return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
        finally:
            connection.close()

    def upload(self, path: Path) -> dict[str, Any]:
        """Upload a file as a browser's form does; return the job."""
        boundary = uuid.uuid4().hex
        disposition = f'form-data; name="file"; filename="{path.name}"'
        head = f"--{boundary}\r\nContent-Disposition: {disposition}\r\nContent-Type: video/mp4\r\n\r\n"
        body = head.encode() + path.read_bytes() + f"\r\n--{boundary}--\r\n".encode()
        status, _, answer = self.ask(
            "POST", "/api/jobs", body, Content_Type=f"multipart/form-data; boundary={boundary}"
        )
        assert status == 202, answer
        return dict(json.loads(answer))

    def job(self, job_id: str) -> dict[str, Any]:
        """Return the job as it is now; while Redis is away (503), ask again when the answer says."""
        deadline = time.monotonic() + READY_SECONDS
        while (answer := self.ask("GET", f"/api/jobs/{job_id}"))[0] == 503 and time.monotonic() < deadline:
            time.sleep(int(answer[1]["retry-after"]))
        status, _, body = answer
        assert status == 200, (status, body)
        return dict(json.loads(body))

    def ended(self, job_id: str) -> dict[str, Any]:
        """Wait for the end of the job and return it."""
        wait_until(lambda: self.job(job_id)["state"] in FINISHED, seconds=READY_SECONDS, what="the job's end")
        return self.job(job_id)

    def all_healthy(self) -> bool:
        """Tell whether every container that is to run passes its health check."""
        running = [service for service in self.services() if service["Service"] not in RUN_ONCE]
        return all(service["Health"] == "healthy" for service in running)
