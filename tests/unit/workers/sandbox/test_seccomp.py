"""The filter of system calls, run by a small interpreter of classic BPF on both machines' numbers."""

from __future__ import annotations

import errno
import fcntl
import os
import socket
import struct

import pytest

from workers.sandbox.seccomp import (
    ALLOW,
    AND,
    JUMP_AT_LEAST,
    JUMP_EQUAL,
    KILL_PROCESS,
    LOAD,
    REFUSE,
    RETURN,
    X32,
    Instruction,
    filter_for,
    instructions_for,
    knows,
)
from workers.sandbox.system_calls import NUMBERS

ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
I386 = 0x40000003
MACHINES = tuple(ARCHITECTURES)
# Numbers of calls that no list of ours has: x86_64, aarch64.
REFUSED = {
    "ptrace": (101, 117),
    "kill": (62, 129),
    "tgkill": (234, 131),
    "setsid": (112, 157),
    "setpgid": (109, 154),
    "clone3": (435, 435),
    "execveat": (322, 281),
    "memfd_create": (319, 279),
    "io_uring_setup": (425, 425),
    "bind": (49, 200),
    "socketpair": (53, 199),
    "sendmsg": (46, 211),
    "setsockopt": (54, 208),
    "truncate": (76, 45),
    "fchmodat": (268, 53),
    "unlinkat": (263, 35),
    "openat2": (437, 437),
    "mount": (165, 40),
    "unshare": (272, 97),
    "bpf": (321, 280),
    "setpriority": (141, 140),
}


def run(program: tuple[Instruction, ...], number: int, arguments: tuple[int, ...] = (), architecture: int = 0) -> int:
    """Return what the kernel would answer to a call."""
    words = (*arguments, *(0,) * (6 - len(arguments)))
    data = struct.pack("=iIQ6Q", number if number < 2**31 else number - 2**32, architecture, 0, *words)
    at, held = 0, 0
    while True:
        code, if_true, if_false, k = program[at]
        at += 1
        match code:
            case _ if code == LOAD:
                held = struct.unpack_from("=I", data, k)[0]
            case _ if code == AND:
                held &= k
            case _ if code == JUMP_EQUAL:
                at += if_true if held == k else if_false
            case _ if code == JUMP_AT_LEAST:
                at += if_true if held >= k else if_false
            case _ if code == RETURN:
                return k
            case _:
                raise AssertionError(f"no such instruction: {code}")


def answer(machine: str, name: str, *arguments: int, network: bool = True) -> int:
    """Return the answer to a call of a machine, by its name."""
    column = MACHINES.index(machine)
    number = NUMBERS[name][column] if name in NUMBERS else REFUSED[name][column]
    assert number is not None
    return run(instructions_for(machine, network=network), number, arguments, ARCHITECTURES[machine])


def refused(code: int) -> bool:
    """Tell whether the answer is an error."""
    return code & 0xFFFF0000 == REFUSE and code & 0xFFFF != 0


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("name", ["read", "mmap", "futex", "execve", "exit_group", "newfstatat", "getrandom"])
def test_what_tools_need_is_allowed(machine: str, name: str) -> None:
    """Whatever the arguments are."""
    assert answer(machine, name, 2**64 - 1, 2**64 - 1, 2**64 - 1) == ALLOW


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("name", REFUSED)
def test_all_else_is_as_if_the_kernel_lacked_it(machine: str, name: str) -> None:
    """ENOSYS lets the C library fall back on what is allowed."""
    assert answer(machine, name) == REFUSE | errno.ENOSYS


@pytest.mark.parametrize("machine", MACHINES)
def test_a_call_that_no_kernel_has_yet_is_refused(machine: str) -> None:
    """A list of what is refused would not hold."""
    program = instructions_for(machine, network=True)
    known = {numbers[MACHINES.index(machine)] for numbers in NUMBERS.values()}
    for number in set(range(1024)) - known:
        assert run(program, number, (), ARCHITECTURES[machine]) == REFUSE | errno.ENOSYS


@pytest.mark.parametrize("machine", MACHINES)
def test_calls_of_another_set_end_the_process(machine: str) -> None:
    """Their numbers mean other calls."""
    program = instructions_for(machine, network=True)
    assert run(program, NUMBERS["read"][0], (), I386) == KILL_PROCESS
    assert run(program, X32 | NUMBERS["read"][0], (), ARCHITECTURES[machine]) == KILL_PROCESS
    assert run(program, 2**32 - 1, (), ARCHITECTURES[machine]) == KILL_PROCESS


@pytest.mark.parametrize("machine", MACHINES)
def test_a_new_thread_is_no_new_process(machine: str) -> None:
    """The C library's flags of a thread, beside those of fork and vfork."""
    assert answer(machine, "clone", 0x3D0F00) == ALLOW
    assert refused(answer(machine, "clone", 0x01200011))
    assert refused(answer(machine, "clone", 0x00004111))
    assert refused(answer(machine, "clone", 0x00010000 << 32))


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize(
    ("family", "kind", "protocol"),
    [
        (socket.AF_INET, socket.SOCK_DGRAM, 0),
        (socket.AF_INET, socket.SOCK_RAW, 1),
        (socket.AF_INET, socket.SOCK_STREAM, 262),  # MPTCP
        (socket.AF_INET, socket.SOCK_STREAM, 132),  # SCTP
        (socket.AF_INET6, socket.SOCK_STREAM, 0),
        (socket.AF_UNIX, socket.SOCK_STREAM, 0),
        (socket.AF_NETLINK, socket.SOCK_RAW, 0),
    ],
)
def test_no_socket_but_tcp(machine: str, family: int, kind: int, protocol: int) -> None:
    """And that only where the original is behind the relay."""
    assert refused(answer(machine, "socket", family, kind, protocol))
    flags = socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK
    assert answer(machine, "socket", socket.AF_INET, socket.SOCK_STREAM | flags, socket.IPPROTO_TCP) == ALLOW
    assert refused(answer(machine, "socket", socket.AF_INET, socket.SOCK_STREAM, 0, network=False))


@pytest.mark.parametrize("machine", MACHINES)
def test_nothing_is_sent_that_connects_by_itself(machine: str) -> None:
    """MSG_FASTOPEN connects without connect."""
    assert answer(machine, "sendto", 3, 0, 1, socket.MSG_NOSIGNAL) == ALLOW
    assert refused(answer(machine, "sendto", 3, 0, 1, 0x20000000 | socket.MSG_NOSIGNAL))


@pytest.mark.parametrize("machine", MACHINES)
def test_a_file_is_emptied_only_by_who_may_write_it(machine: str) -> None:
    """Landlock before version 3 does not look at O_TRUNC."""
    for mode in (os.O_WRONLY, os.O_RDWR):
        assert answer(machine, "openat", 3, 0, mode | os.O_TRUNC | os.O_CREAT) == ALLOW
    for mode in (os.O_RDONLY, os.O_ACCMODE):
        assert answer(machine, "openat", 3, 0, mode | os.O_CLOEXEC) == ALLOW
        assert refused(answer(machine, "openat", 3, 0, mode | os.O_TRUNC))


@pytest.mark.parametrize("machine", MACHINES)
def test_others_are_neither_signalled_nor_limited(machine: str) -> None:
    """Descriptors have owners to be signalled, and limits can be set from outside."""
    assert answer(machine, "fcntl", 3, fcntl.F_SETFD, 1) == ALLOW
    for command in (fcntl.F_SETOWN, fcntl.F_SETSIG, 15, fcntl.F_NOTIFY, fcntl.F_SETLEASE):
        assert refused(answer(machine, "fcntl", 3, command, 1))
    assert answer(machine, "prlimit64", 0, 3, 0, 2**47) == ALLOW
    assert refused(answer(machine, "prlimit64", 1, 3, 0, 2**47))
    assert refused(answer(machine, "prlimit64", 0, 3, 2**32, 0))


@pytest.mark.parametrize("machine", MACHINES)
def test_a_tool_keeps_what_it_was_given_up_to(machine: str) -> None:
    """It may name its threads; it may not outlive the worker, nor ask a device."""
    assert answer(machine, "prctl", 15) == ALLOW
    assert refused(answer(machine, "prctl", 1))
    assert answer(machine, "ioctl", 0, 0x5412) == REFUSE | errno.ENOTTY


def test_the_kernel_gets_it_packed() -> None:
    """Eight bytes an instruction; jumps are a byte, and the kernel takes 4,096 of them."""
    for machine in MACHINES:
        program = instructions_for(machine, network=True)
        assert len(filter_for(machine, network=True)) == 8 * len(program)
        assert len(program) < 4096


def test_machines_without_numbers_have_no_filter() -> None:
    """It is said to be missing, in place of a filter by another machine's numbers."""
    assert all(map(knows, MACHINES))
    assert not knows("riscv64")
