"""The journal of a run: a JSON line for every fault and observation, with the second of the run."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path
from typing import Any

FILE = "journal.jsonl"


class Journal:
    """Writes lines from any thread; `at` is the clock of the run."""

    def __init__(self, folder: Path) -> None:
        self._began = time.monotonic()
        self._lock = threading.Lock()
        self._file = (folder / FILE).open("w", buffering=1)

    @property
    def at(self) -> float:
        """Seconds since the beginning."""
        return time.monotonic() - self._began

    def note(self, what: str, **facts: Any) -> None:
        """Write down what was seen."""
        with self._lock:
            self._file.write(json.dumps({"at": round(self.at, 3), "what": what, **facts}, default=str) + "\n")

    def show(self, what: str, **facts: Any) -> None:
        """Write it down, and print it for who watches the run."""
        self.note(what, **facts)
        print(f"{self.at:7.1f}  {what}  {' '.join(f'{name}={value}' for name, value in facts.items())}", flush=True)

    def close(self) -> None:
        """Write no more."""
        self._file.close()
