"""`rungs up` for real: all parts start, die and stop as they should, and no process is left behind."""

from __future__ import annotations

import http.client
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from storage.objects import keys
from tests.support.forms import CONTENT_TYPE, upload
from tests.support.servers import free_port
from tests.support.stack import Clip
from tests.support.waiting import wait_until
from tests.support.web_client import ask

ROOT = Path(__file__).resolve().parents[3]
READY_SECONDS = 60.0
STOP_SECONDS = 60.0
# Of CPU, which a busy neighbour does not change: five Python processes import what they need, about 1.5 s each, two at
# a time on two cores. On a quiet machine that is under five seconds on the clock.
SECOND_START_CPU_SECONDS = 12.0
PARTS = 6  # redis, control, encode, janitor, web and the listener


@dataclass(frozen=True, slots=True)
class Process:
    """A process as /proc shows it."""

    pid: int
    parent: int
    state: str
    cpu: float
    arguments: tuple[str, ...]


def processes() -> dict[int, Process]:
    """Return all processes that are not mere zombies."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            state, parent, *counts = (folder / "stat").read_text().rpartition(")")[2].split()
            arguments = (folder / "cmdline").read_bytes().decode(errors="replace").split("\0")
        except (FileNotFoundError, ProcessLookupError):
            continue
        if state != "Z":
            cpu = (int(counts[9]) + int(counts[10])) / os.sysconf("SC_CLK_TCK")
            found[int(folder.name)] = Process(int(folder.name), int(parent), state, cpu, tuple(arguments))
    return found


class Installation:
    """A running `rungs up` on a free port, its output in a file."""

    def __init__(self, data_dir: Path, **environment: str) -> None:
        self.data_dir = data_dir
        self.port = free_port()
        self.log = data_dir.with_name(f"{data_dir.name}.{self.port}.log")
        known = {name: value for name, value in os.environ.items() if name not in {"REDIS_URL", "HOST"}}
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "infra.cli", "up"],
                cwd=ROOT,
                env={**known, "DATA_DIR": str(data_dir), "PORT": str(self.port), "ENCODERS": "1", **environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def text(self) -> str:
        """What was printed so far."""
        return self.log.read_text()

    def ready(self) -> Installation:
        """Return once it says that it is ready; fail if it ends before."""
        wait_until(
            lambda: "ready: http" in self.text or self.process.poll() is not None, seconds=READY_SECONDS, what="ready"
        )
        assert self.process.poll() is None, self.text
        return self

    def descendants(self) -> dict[int, Process]:
        """Return all processes below it."""
        everything = processes()
        below: dict[int, Process] = {}
        parents = {self.process.pid}
        while parents:
            children = {pid: process for pid, process in everything.items() if process.parent in parents}
            below |= children
            parents = set(children)
        return below

    def part(self, name: str) -> set[int]:
        """Return the process id of a part, the empty set while it does not run."""
        supervisord = self.supervisord()
        return {
            process.pid
            for process in self.descendants().values()
            if process.parent == supervisord and (name in process.arguments or process.arguments[0].startswith(name))
        }

    def supervisord(self) -> int:
        """Return the process id of the supervisor."""
        return next(pid for pid, process in self.descendants().items() if process.parent == self.process.pid)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Installation]]:
    """Give a function that starts an installation; whatever a test leaves is ended by its process id."""
    started: list[Installation] = []

    # What supervisord's configuration would trip over, if the folder's name ever stood in it.
    def start(folder: str = "data %(x)s # ; 한국", **environment: str) -> Installation:
        started.append(Installation(tmp_path / folder, **environment))
        return started[-1]

    yield start
    for installation in started:
        if installation.process.poll() is None:
            installation.process.terminate()
            installation.process.wait(STOP_SECONDS)


def alive(pids: dict[int, Process]) -> list[Process]:
    """Return those of the processes that still run; a number that was given anew does not count."""
    now = processes()
    return [process for pid, process in pids.items() if pid in now and now[pid].arguments == process.arguments]


def test_sigterm_stops_everything_in_order_and_leaves_nothing(start: Callable[..., Installation]) -> None:
    """It serves, stops web first and Redis last, ends with 0, and no process is left."""
    installation = start().ready()
    connection = http.client.HTTPConnection("127.0.0.1", installation.port, timeout=10)
    connection.request("GET", "/healthz")
    assert connection.getresponse().status == 200
    connection.close()
    below = installation.descendants()
    assert len(below) > PARTS

    installation.process.send_signal(signal.SIGTERM)
    assert installation.process.wait(STOP_SECONDS) == 0, installation.text
    assert alive(below) == []
    assert installation.text.rstrip().endswith("all stopped")
    log = (installation.data_dir / "logs" / "supervisord.log").read_text()
    assert log.index("stopped: web") < log.index("stopped: encode") < log.index("stopped: redis")


def test_ctrl_c_is_as_quiet_as_sigterm(start: Callable[..., Installation], clip: Clip) -> None:
    """A signal to every process of the encoder's group, and then its supervisor's: the segment in hand is finished."""
    installation = start().ready()
    body = upload(clip("caught.mp4", seconds=4, size="640x360", audio=False).read_bytes())
    accepted = ask(installation, "POST", "/api/jobs", body, **{"Content-Type": CONTENT_TYPE})
    wait_until(lambda: _encoding_tools(installation), seconds=30, what="an encoding ffmpeg")
    (tool,) = _encoding_tools(installation)
    os.kill(tool, signal.SIGSTOP)
    (encode,) = installation.part("encode")
    os.killpg(encode, signal.SIGINT)
    os.killpg(installation.process.pid, signal.SIGINT)
    log = installation.data_dir / "logs" / "encode.log"
    wait_until(lambda: "Soft Shutdown" in log.read_text(), what="the drain")
    os.kill(tool, signal.SIGCONT)
    assert installation.process.wait(STOP_SECONDS) == 0, installation.text
    said = log.read_text()
    assert f"job={accepted['id']} part=encode" in said.partition("Soft Shutdown")[2]  # done after it was told to stop
    assert "task=segment:0" in said
    assert not [word for word in ("lost", "Warm shutdown", "Traceback") if word in installation.text + said]


def test_the_second_start_is_cheap(start: Callable[..., Installation]) -> None:
    """With everything installed, and data of an earlier run there, a start costs seconds, not a set-up."""
    for _ in range(2):
        installation = start().ready()
        cpu = sum(process.cpu for process in installation.descendants().values())
        installation.process.send_signal(signal.SIGINT)
        assert installation.process.wait(STOP_SECONDS) == 0, installation.text
    assert cpu < SECOND_START_CPU_SECONDS


@pytest.mark.parametrize("part", ["web", "encode", "redis-server"])
def test_a_killed_part_is_started_again(part: str, start: Callable[..., Installation]) -> None:
    """After kill -9 the part runs again under a new process id, and the terminal says so."""
    installation = start().ready()
    (killed,) = installation.part(part)
    os.kill(killed, signal.SIGKILL)
    said = f"| {part.removesuffix('-server')} ended"
    wait_until(lambda: said in installation.text, what="the announcement")
    wait_until(lambda: installation.part(part) - {killed}, seconds=30, what=f"{part} runs again")
    wait_until(lambda: _answers(installation.port), seconds=READY_SECONDS, what="ready again")


def test_a_lost_redis_is_noticed_and_its_jobs_restored(start: Callable[..., Installation]) -> None:
    """Its files are gone and it starts empty: the terminal names the command, and the command brings the job back."""
    installation = start().ready()
    body = upload()
    accepted = ask(installation, "POST", "/api/jobs", body, **{"Content-Type": CONTENT_TYPE})
    page = f"/api/jobs/{accepted['id']}"
    ended = installation.data_dir / "objects" / keys.ended(accepted["id"])
    wait_until(ended.exists, seconds=30, what="the job's end, saved")
    shutil.rmtree(installation.data_dir / "redis" / "appendonlydir")
    (redis,) = installation.part("redis-server")
    os.kill(redis, signal.SIGKILL)
    wait_until(lambda: "`rungs rebuild`" in installation.text, seconds=60, what="the word of the loss")
    assert ask(installation, "GET", page)["code"] == "job_not_found"
    command = [sys.executable, "-m", "infra.cli", "rebuild"]
    environment = {name: value for name, value in os.environ.items() if name != "REDIS_URL"}
    done = subprocess.run(
        command, cwd=ROOT, env={**environment, "DATA_DIR": str(installation.data_dir)}, capture_output=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, b"restored: 1 failed\n")
    assert ask(installation, "GET", page)["state"] == "failed"


def test_a_killed_supervisor_takes_its_parts_along(start: Callable[..., Installation]) -> None:
    """Kill -9 of supervisord leaves no process that holds port or data; the exit code tells."""
    installation = start().ready()
    below = installation.descendants()
    os.kill(installation.supervisord(), signal.SIGKILL)
    assert installation.process.wait(STOP_SECONDS) == 1
    wait_until(lambda: not alive(below), seconds=15, what="all parts gone")


def test_a_killed_starter_stops_everything(start: Callable[..., Installation]) -> None:
    """Kill -9 of `rungs up` itself makes supervisord stop the parts in good order."""
    installation = start().ready()
    below = installation.descendants()
    installation.process.kill()
    installation.process.wait(STOP_SECONDS)
    wait_until(lambda: not alive(below), seconds=STOP_SECONDS, what="all parts gone")


def test_a_second_start_in_the_same_folder_is_refused(start: Callable[..., Installation]) -> None:
    """One DATA_DIR, one installation; the refusal is one line and disturbs nothing."""
    first = start().ready()
    second = start()
    assert second.process.wait(READY_SECONDS) == 1
    assert "DATA_DIR: an installation already runs in" in second.text
    assert second.text.count("\n") == 1
    assert _answers(first.port)


def test_wrong_settings_are_named_before_anything_starts(start: Callable[..., Installation]) -> None:
    """Every wrong value has its line, and no process is started."""
    installation = start(ATTEMPTS="none", LOG_LEVEL="loud")
    assert installation.process.wait(READY_SECONDS) == 1
    lines = installation.text.splitlines()
    assert [line.split(":")[1].strip() for line in lines] == ["ATTEMPTS", "LOG_LEVEL"]


def test_a_named_redis_is_used_instead_of_an_own_one(start: Callable[..., Installation], redis_url: str) -> None:
    """With REDIS_URL set, no redis-server is started."""
    installation = start(REDIS_URL=redis_url).ready()
    assert not any(process.arguments[0].startswith("redis-server") for process in installation.descendants().values())


def _encoding_tools(installation: Installation) -> list[int]:
    found = installation.descendants().values()
    return [process.pid for process in found if process.arguments[0] == "ffmpeg" and "libx264" in process.arguments]


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
