"""What is done again and again while a block runs, in a thread of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def meanwhile(act: Callable[[], object], *, seconds: float) -> Iterator[None]:
    """Call `act` every so many seconds until the block is over, or until it returns False.

    Nothing that it raises reaches the block: it ends the calls.
    """
    over = threading.Event()

    def repeat() -> None:
        while not over.wait(seconds) and act() is not False:
            pass

    thread = threading.Thread(target=repeat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
