"""`python -m workers control|encode`: one worker process; `python -m workers healthy ROLE`: is it alive?"""

from __future__ import annotations

import os
import sys
import threading

# billiard reads this when it is imported: SIGTERM then drains within the soft timeout instead of waiting without limit.
os.environ.setdefault("REMAP_SIGTERM", "SIGQUIT")

from storage.connect import connect
from storage.logging import configure_logging
from storage.publishing import CONTROL_QUEUE, ENCODE_QUEUE
from storage.settings import SettingsError, load_settings
from workers.app import PATIENCE_SECONDS, make_worker
from workers.janitor import Janitor
from workers.scratch import alive_file, is_alive, sweep_scratch

QUEUES = {"control": CONTROL_QUEUE, "encode": ENCODE_QUEUE}
CONTROL_SLOTS = 2  # a long package must not keep new jobs from being planned


def main(arguments: list[str]) -> int:
    """Run the worker until it is told to stop; return the exit code."""
    match arguments:
        case ["healthy", role] if role in QUEUES:
            return 0 if is_alive(alive_file(load_settings().scratch_dir, role)) else 1
        case [role] if role in QUEUES:
            return run(role)
        case _:
            sys.stderr.write(f"{__doc__}\n")
            return 2


def run(role: str) -> int:
    """Start what belongs to the role and then the Celery worker; return its exit code."""
    try:
        settings = load_settings()
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    configure_logging(settings, role)
    settings.scratch_dir.mkdir(parents=True, exist_ok=True)
    sweep_scratch(settings.scratch_dir)
    if role == "control":
        services = connect(settings, patience=PATIENCE_SECONDS)
        services.objects.prepare()
        threading.Thread(target=Janitor(services).run, name="janitor", daemon=True).start()
    app = make_worker(settings, role, alive_file(settings.scratch_dir, role))
    app.worker_main(
        [
            "--quiet",  # no banner: the log's first lines say the same
            "worker",
            f"--queues={QUEUES[role]}",
            f"--concurrency={settings.encoders if role == 'encode' else CONTROL_SLOTS}",
            f"--hostname={role}@%h",
            "--pool=prefork",  # a crash of one slot must not touch the others
            "--without-gossip",  # workers need not know of each other: the broker and the job records say all
            "--without-mingle",
            "--without-heartbeat",
            f"--loglevel={settings.log_level}",
        ]
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
