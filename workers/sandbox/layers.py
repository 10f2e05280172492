"""Which layers of the sandbox this kernel lends, asked of its system calls: files that tell it may not be mounted."""

from __future__ import annotations

import ctypes
import os
from dataclasses import dataclass
from functools import cache

from storage.model.layers import Layer
from workers.sandbox.landlock import FILES_VERSION, PORTS_VERSION
from workers.sandbox.launcher import LANDLOCK_CREATE_RULESET
from workers.sandbox.seccomp import knows

_CREATE_RULESET_VERSION = 1  # the flag that asks for the version
_PR_GET_SECCOMP = 21


# What is said of a layer that is missing: in the log, and by `rungs doctor`.
LACKING = {
    Layer.FILES: "The kernel lends no Landlock (5.13 or newer), so tools may open every file that the worker may.",
    Layer.PORTS: "The kernel's Landlock has no rules for ports (6.7 or newer), so tools may connect to every TCP port.",
    Layer.CALLS: "The kernel lends no filter of system calls on this machine, so tools may start other programs.",
}


@dataclass(frozen=True, slots=True)
class Kernel:
    """What a kernel, seen through its container, lends: Landlock of a version (0 for none), and filters of calls."""

    landlock: int
    filters: bool


def missing(kernel: Kernel) -> tuple[Layer, ...]:
    """Return the layers that nothing stands in for. What else older versions of Landlock lack, the filter refuses."""
    held = {
        Layer.FILES: kernel.landlock >= FILES_VERSION,
        Layer.PORTS: kernel.landlock >= PORTS_VERSION,
        Layer.CALLS: kernel.filters,
    }
    return tuple(layer for layer, is_held in held.items() if not is_held)


@cache
def kernel() -> Kernel:
    """Return what this kernel lends to this process."""
    libc = ctypes.CDLL(None, use_errno=True)
    version = libc.syscall(ctypes.c_long(LANDLOCK_CREATE_RULESET), None, ctypes.c_size_t(0), _CREATE_RULESET_VERSION)
    filters = libc.prctl(_PR_GET_SECCOMP, 0, 0, 0, 0) >= 0
    return Kernel(landlock=max(0, version), filters=filters and knows(os.uname().machine))
