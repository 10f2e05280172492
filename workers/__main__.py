"""`python -m workers control|encode|janitor`: one role's process; `python -m workers healthy ROLE`: is it alive?

`python -m workers rebuild` makes the job records anew from the object store, after Redis was lost.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
import warnings
from concurrent.futures import ThreadPoolExecutor

# billiard reads this when it is imported: SIGTERM then drains within the soft timeout instead of waiting without limit.
os.environ.setdefault("REMAP_SIGTERM", "SIGQUIT")

from celery.exceptions import SecurityWarning

from storage.broker.contract import CONTROL_QUEUE, ENCODE_QUEUE, FIRST_QUEUE
from storage.errors import BusyError
from storage.logs import configure_logging
from storage.services.connect import connect
from storage.settings import Settings, SettingsError, load_settings
from workers.app import make_worker
from workers.janitor.janitor import Janitor
from workers.process.alive import alive_file, is_alive
from workers.process.fencing import fence_tools
from workers.rebuild.rebuild import rebuild
from workers.sandbox.scratch import sweep_scratch
from workers.webhooks.notifier import Notifier
from workers.webhooks.sender import WebhookSender

# In the order in which a free slot looks at them.
QUEUES = {"control": (CONTROL_QUEUE,), "encode": (FIRST_QUEUE, ENCODE_QUEUE)}
CONTROL_SLOTS = 2  # a long package must not keep new jobs from being planned
JANITOR_PATIENCE_SECONDS = 2.0  # an outage skips a round
REBUILD_PATIENCE_SECONDS = 10.0  # servers that start beside it; who runs it can run it again


def main(arguments: list[str]) -> int:
    """Run the role until it is told to stop; return the exit code."""
    try:
        settings = load_settings()
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    match arguments:
        case ["healthy", role]:
            return 0 if is_alive(alive_file(settings.scratch_dir, role)) else 1
        case ["janitor"]:
            return run_janitor(settings)
        case ["rebuild"]:
            return run_rebuild(settings)
        case [role] if role in QUEUES:
            return run_worker(settings, role)
        case _:
            sys.stderr.write(f"{__doc__}\n")
            return 2


def run_janitor(settings: Settings) -> int:
    """Make the janitor's and the notifier's rounds until SIGTERM or SIGINT; their own process, because workers fork."""
    configure_logging(settings, "janitor")
    settings.scratch_dir.mkdir(parents=True, exist_ok=True)
    services = connect(settings, patience=JANITOR_PATIENCE_SECONDS)
    janitor = Janitor(
        services, alive_file(settings.scratch_dir, "janitor"), upload_expiry=settings.upload_expiry_seconds
    )
    for number in (signal.SIGTERM, signal.SIGINT):
        # From a thread: a handler interrupts the very wait whose lock `stop` needs.
        signal.signal(number, lambda *_: threading.Thread(target=janitor.stop).start())
    sender = WebhookSender(
        allow_private=settings.allow_private_webhooks, secret=settings.webhook_secret.get_secret_value()
    )
    notifier = Notifier(services.jobs, services.objects, sender)
    with ThreadPoolExecutor(1, thread_name_prefix="notifier") as pool:
        notifying = pool.submit(notifier.run)
        try:
            janitor.run()
        finally:
            notifier.stop()
        notifying.result()
    return 0


def run_rebuild(settings: Settings) -> int:
    """Restore the job records from the object store; return 1 if a job that is stored could not be restored."""
    configure_logging(settings, "rebuild")

    def say(line: str) -> None:
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()

    try:
        services = connect(settings, patience=REBUILD_PATIENCE_SECONDS)
        return 0 if rebuild(services, say, now=time.time()) else 1
    except BusyError as error:
        sys.stderr.write(f"{error} What was restored stays; run this again.\n")
        return 1


def run_worker(settings: Settings, role: str) -> int:
    """Run the Celery worker of a role until it is told to stop; return 1 at once where it may not work unfenced."""
    # As root Celery warns of pickled messages; ours are JSON only, and who starts a worker by hand may be root.
    warnings.filterwarnings("ignore", category=SecurityWarning)
    configure_logging(settings, role)
    if not fence_tools(settings):
        sys.stderr.write("SANDBOX: is `require`, and layers are missing; `rungs doctor` says which\n")
        return 1
    settings.scratch_dir.mkdir(parents=True, exist_ok=True)
    sweep_scratch(settings.scratch_dir)
    encoders = settings.encoders if role == "encode" else 0
    app = make_worker(settings, role, alive_file=alive_file(settings.scratch_dir, role), slots=encoders)
    app.worker_main(
        [
            "--quiet",  # no banner: the log's first lines say the same
            "worker",
            f"--queues={','.join(QUEUES[role])}",
            f"--concurrency={encoders or CONTROL_SLOTS}",
            f"--hostname={role}@%h",
            "--without-gossip",  # workers need not know of each other: the broker and the job records say all
            "--without-mingle",
            "--without-heartbeat",
            f"--loglevel={settings.log_level}",
        ]
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
