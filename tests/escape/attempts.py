"""The list of attempts to leave a sandbox, and what they share; one that is refused raises OSError or MemoryError."""

import ctypes
import errno
import os
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

Targets = dict[str, Any]
Try = Callable[[Targets], object]
# The kernel's words for "not for you". Any other error of a call with senseless arguments tells that it was reached.
REFUSALS = frozenset({errno.ENOSYS, errno.EPERM, errno.EACCES})
LIBC = ctypes.CDLL(None, use_errno=True)
X86 = os.uname().machine == "x86_64"


class Bare(StrEnum):
    """For whom an attempt succeeds without a sandbox, so that it is seen to be one."""

    ANYONE = "anyone"
    ROOT = "root"
    SOMEWHERE = "somewhere"  # it depends on the kernel and its settings


@dataclass(frozen=True)
class Attempt:
    """One attempt. `alone` has a process of its own, as it ends the process that makes it."""

    run: Try
    bare: Bare
    alone: bool


ATTEMPTS: dict[str, Attempt] = {}


def attempt(bare: Bare = Bare.ANYONE, *, alone: bool = False) -> Callable[[Try], Try]:
    """Enter the function in the list under its own name."""

    def enter(run: Try) -> Try:
        ATTEMPTS[run.__name__] = Attempt(run, bare, alone)
        return run

    return enter


def call(x86_64: int, aarch64: int, *arguments: int | bytes) -> int:
    """Make a system call by its number on each machine; raise OSError where it fails."""
    words = [one if isinstance(one, bytes) else ctypes.c_long(one) for one in arguments]
    LIBC.syscall.restype = ctypes.c_long
    done = int(LIBC.syscall(ctypes.c_long(x86_64 if X86 else aarch64), *words))
    if done < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return done


def reached(x86_64: int, aarch64: int, *arguments: int | bytes) -> None:
    """Make a call that harms nothing; raise OSError only where it was refused before its arguments were looked at."""
    try:
        call(x86_64, aarch64, *arguments)
    except OSError as error:
        if error.errno in REFUSALS:
            raise
