"""What runs in a tool's place: it tries to leave the sandbox, and says of each attempt what it came to.

It is started without site-packages and sees only what a tool sees, so it needs nothing but Python's own library.
"""

import json
import sys
import threading
from pathlib import Path

from . import files, kernel, network, processes  # noqa: F401 - they enter their attempts in the list
from .attempts import ATTEMPTS, Targets

SUCCEEDED = "succeeded"


def _use_what_is_allowed(targets: Targets) -> None:
    """Do what a tool must be able to do; whatever is refused here ends the program."""
    Path(targets["original"]).read_bytes()
    Path(targets["scratch"], "output").write_bytes(b"output")
    Path(targets["scratch"], "output").read_bytes()
    Path("/dev/null").write_bytes(b"x")
    thread = threading.Thread(target=lambda: None)
    thread.start()
    thread.join()
    network.talk_to(targets["port"])


def _try(name: str, targets: Targets) -> None:
    try:
        ATTEMPTS[name].run(targets)
    except (OSError, MemoryError) as error:
        print(name, type(error).__name__, error, flush=True)
    else:
        print(name, SUCCEEDED, flush=True)


def main() -> None:
    """Make the attempt that the command names, or all that leave this process as it was."""
    targets = json.loads(sys.argv[1])
    if len(sys.argv) > 2:
        _try(sys.argv[2], targets)
        return
    _use_what_is_allowed(targets)
    for name, one in ATTEMPTS.items():
        if not one.alone:
            _try(name, targets)
    print("end", SUCCEEDED, flush=True)
