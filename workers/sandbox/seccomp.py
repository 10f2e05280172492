"""The filter of a tool's system calls, as the kernel's classic BPF: a list of what is allowed, by number and arguments.

A list of what is refused would miss what the next kernel brings. Everything else answers ENOSYS, as from a kernel that
lacks it, so that glibc takes what it takes there: for `clone3` it takes `clone`, whose flags can be seen. Pure.
"""

from __future__ import annotations

import errno
import fcntl
import socket
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from workers.sandbox.system_calls import NUMBERS

# Of <linux/seccomp.h>, <linux/audit.h> and <linux/bpf_common.h>.
ALLOW = 0x7FFF0000
KILL_PROCESS = 0x80000000
REFUSE = 0x00050000
LOAD = 0x20  # ld [k]: 32 bits of the call
AND = 0x54
JUMP_EQUAL = 0x15
JUMP_AT_LEAST = 0x35
RETURN = 0x06
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16  # offsets in `struct seccomp_data`
_ARGUMENT_BYTES, _HALF = 8, 4  # both machines have the low half first
X32 = 0x40000000  # set in the numbers of x86_64's third set of calls

# machine as uname names it: the kernel's name for its calls, and the column of NUMBERS
_MACHINES = {"x86_64": (0xC000003E, 0), "aarch64": (0xC00000B7, 1)}

_CLONE_THREAD = 0x00010000
_PR_SET_NAME = 15
_TRUNCATING = 0o1000  # O_TRUNC
_ACCESS_MODE = 3  # O_ACCMODE; 3 itself is an odd mode of Linux that opens for neither
_SOCKET_FLAGS = socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC
# Neither F_SETOWN nor F_SETSIG, which send signals to other processes, nor leases and notes of what others do.
_FCNTL = (fcntl.F_DUPFD, fcntl.F_DUPFD_CLOEXEC, fcntl.F_GETFD, fcntl.F_SETFD, fcntl.F_GETFL, fcntl.F_SETFL)


@dataclass(frozen=True, slots=True)
class Check:
    """An argument whose bits under `mask` must be one of `values`; of its upper 32 bits where `upper`."""

    argument: int
    values: tuple[int, ...]
    mask: int = 0xFFFFFFFF
    upper: bool = False


Instruction = tuple[int, int, int, int]  # code, jump if true, jump if false, k

# Before Landlock 3 a file that may only be read could be emptied by opening it so.
_NEVER_EMPTIED_UNWRITTEN = (0, 1, 2, 3, _TRUNCATING | 1, _TRUNCATING | 2)
_CHECKS: dict[str, tuple[Check, ...]] = {
    "clone": (Check(0, (_CLONE_THREAD,), mask=_CLONE_THREAD),),  # threads, never processes
    "fcntl": (Check(1, _FCNTL),),
    "open": (Check(1, _NEVER_EMPTIED_UNWRITTEN, mask=_TRUNCATING | _ACCESS_MODE),),
    "openat": (Check(2, _NEVER_EMPTIED_UNWRITTEN, mask=_TRUNCATING | _ACCESS_MODE),),
    "prctl": (Check(0, (_PR_SET_NAME,)),),
    # Its own limits are read, nobody's are set.
    "prlimit64": (Check(0, (0,)), Check(2, (0,)), Check(2, (0,), upper=True)),
    # TCP and nothing that passes for it: Landlock's rules for ports know no MPTCP and no SCTP.
    "socket": (
        Check(0, (socket.AF_INET,)),
        Check(1, (socket.SOCK_STREAM,), mask=0xFFFFFFFF ^ _SOCKET_FLAGS),
        Check(2, (0, socket.IPPROTO_TCP)),
    ),
    # No MSG_FASTOPEN, which connects without Landlock being asked.
    "sendto": (Check(3, (0,), mask=0xFFFFFFFF ^ socket.MSG_NOSIGNAL),),
}
_OF_NETWORK = frozenset(
    {"socket", "connect", "sendto", "recvfrom", "shutdown", "getsockname", "getpeername", "getsockopt"}
)
# What a terminal is asked by: none of ours is one, and TIOCSTI would type into it.
_NO_TERMINAL = "ioctl"


def knows(machine: str) -> bool:
    """Tell whether there are numbers for the calls of this machine, as uname names it."""
    return machine in _MACHINES


def filter_for(machine: str, *, network: bool) -> bytes:
    """Return the filter as the kernel takes it, with sockets for TCP only where `network`. Raises KeyError for others.

    A call of another set than the machine's own (32-bit, x32) ends the process.
    """
    return b"".join(struct.pack("=HBBI", *one) for one in instructions_for(machine, network=network))


def instructions_for(machine: str, *, network: bool) -> tuple[Instruction, ...]:
    """Return the same, instruction by instruction."""
    architecture, column = _MACHINES[machine]
    return (
        (LOAD, 0, 0, _ARCHITECTURE),
        (JUMP_EQUAL, 1, 0, architecture),
        (RETURN, 0, 0, KILL_PROCESS),
        (LOAD, 0, 0, _NUMBER),
        (JUMP_AT_LEAST, 0, 1, X32),
        (RETURN, 0, 0, KILL_PROCESS),
        *_allowed(column, network=network),
        (RETURN, 0, 0, REFUSE | errno.ENOSYS),
    )


def _allowed(column: int, *, network: bool) -> Iterator[Instruction]:
    """Yield what answers the calls of the list, those without conditions first: they are the frequent ones."""
    for name in sorted(NUMBERS, key=lambda name: name in _CHECKS):
        number = NUMBERS[name][column]
        if number is None or (name in _OF_NETWORK and not network):
            continue
        answer = REFUSE | errno.ENOTTY if name == _NO_TERMINAL else ALLOW
        checks = tuple(_checked(_CHECKS.get(name, ())))
        yield (JUMP_EQUAL, 0, len(checks) + 1, number)
        yield from checks
        yield (RETURN, 0, 0, answer)


def _checked(checks: Sequence[Check]) -> Iterator[Instruction]:
    """Yield what goes on behind its end where all checks hold, and refuses the call where one does not."""
    for check in checks:
        offset = _ARGUMENTS + _ARGUMENT_BYTES * check.argument + (_HALF if check.upper else 0)
        yield (LOAD, 0, 0, offset)
        yield (AND, 0, 0, check.mask)
        for left, value in zip(range(len(check.values), 0, -1), check.values, strict=True):
            yield (JUMP_EQUAL, left, 0, value)
        yield (RETURN, 0, 0, REFUSE | errno.EPERM)
