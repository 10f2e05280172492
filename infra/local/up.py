"""`rungs up`: a whole installation in the foreground, its parts under supervisord, stopped together."""

from __future__ import annotations

import http.client
import math
import os
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from infra.local import preflight, supervisor_conf
from infra.local.log_listener import OURSELVES, tagged
from infra.local.step_down import APP_DIR, step_down
from storage.settings import Settings

READY_POLL_SECONDS = 0.1
READY_TIMEOUT_SECONDS = 2.0
# A web service that is not ready by now needs somebody to look at it.
READY_PATIENCE_SECONDS = 60.0
# Signals that arrive together (make passes on what the terminal sent already) are one wish to stop, not two.
SECOND_SIGNAL_SECONDS = 2.0
_WILDCARDS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 (read, never bound)


def up(settings: Settings, environment: Mapping[str, str]) -> int:
    """Run an installation until a signal stops it; return the exit code.

    Raises SettingsError, before anything is started, for what would keep it from working.
    """
    data_dir = settings.data_dir.resolve()
    stepped = step_down(settings)
    environment = {**environment, **stepped.environment}
    own_redis = preflight.own_redis(settings)
    color = sys.stdout.isatty() and not environment.get("NO_COLOR")
    preflight.check_tools(own_redis=own_redis)
    preflight.make_folders(data_dir)
    with preflight.only_one(data_dir):
        preflight.check_port(settings.host, settings.port)
        redis_url = _prepare(data_dir, own_redis=own_redis, color=color)
        run = RunningInstallation(_start(data_dir, part_environment(settings, environment, redis_url)), color=color)
        for sentence in stepped.said:
            run.say(sentence)
        run.say(f"{settings.encoders} encoder slots; data in {data_dir}; objects in {settings.store_url}")
        if not preflight.is_loopback(settings.host):
            run.say(f"WARNING: HOST={settings.host} opens this installation to everybody who reaches this machine:")
            run.say("WARNING: there are no accounts, so anybody may upload, watch, cancel and delete.")
        return run.until_stopped(settings.host, settings.port)


def base_url(host: str, port: int) -> str:
    """Return the address a browser on this machine uses."""
    name = _WILDCARDS.get(host, host)
    return f"http://{f'[{name}]' if ':' in name else name}:{port}"


def part_environment(settings: Settings, environment: Mapping[str, str], redis_url: str | None) -> dict[str, str]:
    """Return what the parts inherit: everything given, and what only this process knows."""
    own = {
        "DATA_DIR": str(settings.data_dir.resolve()),
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), environment.get("PATH", os.defpath)]),
        # Workers run in the same folder as their code, wherever this was started.
        supervisor_conf.APP_ENV: str(APP_DIR),
        "PYTHONPATH": str(APP_DIR),
        "PYTHONUNBUFFERED": "1",
    }
    if redis_url is not None:
        own["REDIS_URL"] = redis_url
    return {**environment, **own}


def _prepare(data_dir: Path, *, own_redis: bool, color: bool) -> str | None:
    """Write the configurations of this run; return the URL of its own Redis, if it has one."""
    run_dir = data_dir / supervisor_conf.RUN_FOLDER
    parts = supervisor_conf.parts(own_redis=own_redis)
    conf = supervisor_conf.supervisord_conf(parts, color=color)
    _write_private(run_dir / supervisor_conf.SUPERVISORD_CONF, conf)
    if not own_redis:
        return None
    # On loopback every user of this machine can connect, hence a password, new for each run.
    port, password = preflight.free_port(), secrets.token_urlsafe(32)
    base = (APP_DIR / "infra" / "redis.conf").read_text()
    _write_private(run_dir / supervisor_conf.REDIS_CONF, supervisor_conf.redis_conf(base, port=port, password=password))
    url = f"redis://:{password}@127.0.0.1:{port}/0"
    _write_private(run_dir / supervisor_conf.REDIS_URL_FILE, url)
    return url


def _write_private(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.chmod(0o600)
    path.write_text(text)


def _start(data_dir: Path, environment: dict[str, str]) -> subprocess.Popen[bytes]:
    # Should this process be killed, supervisord still stops everything in good order.
    dies_with_us = ["setpriv", "--pdeathsig", "TERM", "--no-new-privs", "--"]
    return subprocess.Popen(
        [*dies_with_us, "python3", "-m", "supervisor.supervisord", "-c", supervisor_conf.SUPERVISORD_CONF],
        cwd=data_dir / supervisor_conf.RUN_FOLDER,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        # Ctrl-C reaches the whole foreground group; supervisord is to hear of it from here, once.
        start_new_session=True,
    )


@dataclass(slots=True)
class RunningInstallation:
    """A started installation: passes its lines to the terminal and signals to supervisord."""

    supervisord: subprocess.Popen[bytes]
    color: bool
    _first_signal_at: float = 0.0
    _stopping: threading.Event = field(default_factory=threading.Event)

    def say(self, sentence: str) -> None:
        """Print a line of our own."""
        sys.stdout.write(f"{tagged(OURSELVES, sentence, color=self.color)}\n")
        sys.stdout.flush()

    def until_stopped(self, host: str, port: int) -> int:
        """Copy the parts' lines until all of them have ended; 0 if that was asked for, 1 otherwise."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._on_signal)
        narrator = threading.Thread(target=self._narrate, args=(host, port), daemon=True)
        narrator.start()
        self._copy_lines()
        self.supervisord.wait()
        asked = self._stopping.is_set()
        self._stopping.set()
        narrator.join()
        if asked and self.supervisord.returncode == 0:
            self.say("all stopped")
            return 0
        self.say(f"the supervisor ended by itself ({self.supervisord.returncode}), and all parts with it")
        return 1

    def _copy_lines(self) -> None:
        stream = self.supervisord.stdout
        while stream is not None and (line := stream.readline()):
            try:
                sys.stdout.write(line.decode(errors="replace"))
                sys.stdout.flush()
            except BrokenPipeError:
                # Nobody reads us any more; the parts' lines must still flow until all have stopped.
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
                self._stop()

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        # Printing here could interrupt a print; the narrator says what happens.
        if not self._stopping.is_set():
            self._first_signal_at = time.monotonic()
            self._stop()
        elif time.monotonic() - self._first_signal_at > SECOND_SIGNAL_SECONDS:
            self.supervisord.kill()  # every part dies with its parent

    def _stop(self) -> None:
        self._stopping.set()
        if self.supervisord.poll() is None:
            self.supervisord.terminate()

    def _narrate(self, host: str, port: int) -> None:
        deadline = time.monotonic() + READY_PATIENCE_SECONDS
        ready = False
        while not self._stopping.wait(None if ready else READY_POLL_SECONDS):
            if is_ready(host, port):
                ready = True
                self.say(f"ready: {base_url(host, port)}  (Ctrl-C stops everything)")
            elif time.monotonic() > deadline:
                self.say(f"not ready after {READY_PATIENCE_SECONDS:.0f} s; still trying, see the lines above")
                deadline = math.inf
        if self.supervisord.poll() is None:
            self.say("stopping; work in hand is handed back (once more stops at once)")


def is_ready(host: str, port: int) -> bool:
    """Tell whether the web service and all that it needs answer."""
    connection = http.client.HTTPConnection(_WILDCARDS.get(host, host), port, timeout=READY_TIMEOUT_SECONDS)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
