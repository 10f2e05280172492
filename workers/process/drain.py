"""A worker that is told to stop: Ctrl-C is the same drain as SIGTERM, and signals that arrive together are one wish.

Celery would wait without limit after the first SIGINT, and end all work at once when another signal follows: a terminal
sends one to the whole process group, and whoever supervises the worker sends the next.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from types import FrameType
from typing import Any

import structlog
from celery.apps.worker import Worker

SECOND_SIGNAL_SECONDS = 2.0  # as `rungs up` has it
# From the end of the soft shutdown to that of the process, which takes a second. Celery's pool was seen to wait without
# end for a child that had been killed.
LAST_SECONDS = 15.0

_log = structlog.get_logger()


class DrainingWorker(Worker):  # type: ignore[misc] # celery has no types
    """Celery's worker, whose soft shutdown begins with either signal; only a second Ctrl-C cuts it short."""

    def install_platform_tweaks(self, worker: Any) -> None:
        """Install Celery's signal handlers, that of SIGTERM for SIGINT as well."""
        super().install_platform_tweaks(worker)
        signal.signal(signal.SIGINT, signal.getsignal(signal.SIGTERM))

    def wait_for_soft_shutdown(self) -> None:
        """Wait for what ends within the soft shutdown; called from the handler of the first signal."""
        began, cut_short = time.monotonic(), signal.getsignal(signal.SIGINT)

        def on_ctrl_c(number: int, frame: FrameType | None) -> None:
            if callable(cut_short) and time.monotonic() - began > SECOND_SIGNAL_SECONDS:
                cut_short(number, frame)

        signal.signal(signal.SIGINT, on_ctrl_c)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        super().wait_for_soft_shutdown()
        threading.Thread(target=_end_anyway, daemon=True).start()


def _end_anyway() -> None:
    """End this process, which should have ended by itself. What it holds is delivered again, as after any kill."""
    time.sleep(LAST_SECONDS)
    _log.error("did not end by itself")
    os.kill(os.getpid(), signal.SIGKILL)
