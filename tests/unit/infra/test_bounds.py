"""The table of bounds in docs/operations.md says what the constants say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from storage.objects.contract import PART_BYTES
from storage.redis_client import load_script
from storage.scheduling.fairness import SPARE
from storage.settings import Settings
from web.app import deliveries_of, watchers_of
from web.http.connection import LINGER_BYTES, LINGER_SECONDS
from web.read.event_hub import QUEUE_EVENTS
from web.server import CONNECTIONS_ABOVE_THREADS
from workers.process.pause_policy import OVERLOAD, OVERLOAD_OVER, RESUME_FACTOR, STALLED, STALLED_OVER
from workers.sandbox.launching import MEMORY_BYTES, OPEN_FILES, OUTPUT_FILE_BYTES
from workers.sandbox.relay import READERS
from workers.sandbox.run import MAX_CAPTURE_BYTES
from workers.sandbox.scratch import KEPT_FREE_BYTES

TEXT = (Path(__file__).parents[3] / "docs" / "operations.md").read_text()
MIB, GIB = 1024**2, 1024**3
DEFAULTS = {name: field.default for name, field in Settings.model_fields.items()}
EVENTS = re.search(r"EVENTS_KEPT, JOB_EVENTS_KEPT = (\d+), (\d+)", load_script("storage.job_store", "common"))


@pytest.mark.parametrize(
    "said",
    [
        f"`MAX_UPLOADS` ({DEFAULTS['max_uploads']}) uploads, each with a part of {PART_BYTES // MIB} MiB",
        f"`CLIENT_IDLE_SECONDS` ({DEFAULTS['client_idle_seconds']} s)",
        f"{LINGER_SECONDS:.0f} s and {LINGER_BYTES // MIB} MiB to read its answer",
        f"`WEB_THREADS` ({DEFAULTS['web_threads']}), and {CONNECTIONS_ABOVE_THREADS} idle connections",
        f"a tenth of the threads ({deliveries_of(DEFAULTS['web_threads'])})",
        f"three quarters of the threads ({watchers_of(DEFAULTS['web_threads'])}); {QUEUE_EVENTS} events",
        f"{READERS} reads at once",
        f"{MEMORY_BYTES // GIB} GiB of address space, {OUTPUT_FILE_BYTES // GIB} GiB a file, {OPEN_FILES} files",
        f"{MAX_CAPTURE_BYTES // MIB} MiB of output",
        f"and {KEPT_FREE_BYTES // MIB} MiB left",
        f"the last {int(EVENTS[1]):,} of all jobs, {EVENTS[2]} of each" if EVENTS else "events are capped",
        f"{OVERLOAD:.0f} programs that want to run for each core",
        f"under {OVERLOAD_OVER:.0f} |",
    ],
)
def test_the_table_says_what_the_constants_say(said: str) -> None:
    """Each figure as it is."""
    assert said in TEXT


def test_what_the_docs_say_in_words() -> None:
    """A quarter, half and a fifth."""
    assert (SPARE, RESUME_FACTOR - 1, STALLED, STALLED_OVER) == (0.25, 0.25, 0.5, 0.2)
