"""Attempts on processes: to have others, to outlive the worker, to reach the worker itself."""

import ctypes
import errno
import fcntl
import mmap
import os
import resource
import signal
import struct
from pathlib import Path

from .attempts import LIBC, X86, Bare, Targets, attempt, call, reached

NO_RESERVE = 0x4000  # MAP_NORESERVE, which Python names from 3.13 on


@attempt()
def fork(_targets: Targets) -> None:
    child = os.fork()
    if not child:
        os._exit(0)
    os.waitpid(child, 0)


@attempt()
def fork_by_the_newest_call(_targets: Targets) -> None:
    child = call(435, 435, struct.pack("=8Q", 0, 0, 0, 0, signal.SIGCHLD, 0, 0, 0), 64)
    if not child:
        os._exit(0)
    os.waitpid(child, 0)


@attempt()
def start_a_program(_targets: Targets) -> None:
    os.waitpid(os.posix_spawn("/bin/true", ["true"], {}), 0)


@attempt(alone=True)
def become_a_shell(_targets: Targets) -> None:
    os.execve("/bin/sh", ["sh", "-c", "echo succeeded"], {})


@attempt(alone=True)
def become_a_shell_by_the_loader(_targets: Targets) -> None:
    loader = "/lib64/ld-linux-x86-64.so.2" if X86 else "/lib/ld-linux-aarch64.so.1"
    os.execve(loader, [loader, "/bin/sh", "-c", "echo succeeded"], {})


@attempt(alone=True)
def become_what_it_wrote(targets: Targets) -> None:
    made = os.open(Path(targets["scratch"], "made.sh"), os.O_CREAT | os.O_WRONLY, 0o755)
    os.write(made, b"#!/bin/sh\necho succeeded\n")
    os.close(made)
    os.execve(Path(targets["scratch"], "made.sh"), ["made.sh"], {})


@attempt(alone=True)
def become_what_is_in_memory(_targets: Targets) -> None:
    held = os.memfd_create("held", 0)
    os.write(held, Path("/bin/echo").read_bytes())
    os.execve(held, ["echo", "succeeded"], {})


@attempt()
def have_memory_without_a_file(_targets: Targets) -> None:
    os.close(os.memfd_create("held"))


@attempt()
def begin_a_session(_targets: Targets) -> None:
    os.setsid()


@attempt(Bare.SOMEWHERE)
def join_the_workers_group(targets: Targets) -> None:
    reached(109, 154, 0, os.getpgid(targets["worker"]))


@attempt()
def outlive_the_worker(_targets: Targets) -> None:
    if LIBC.prctl(1, 0, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "PR_SET_PDEATHSIG")


@attempt()
def signal_the_worker(targets: Targets) -> None:
    os.kill(targets["worker"], signal.SIGCONT)


@attempt()
def signal_a_thread_of_the_worker(targets: Targets) -> None:
    call(234, 131, targets["worker"], targets["worker"], signal.SIGCONT)


@attempt()
def signal_by_a_handle(targets: Targets) -> None:
    handle = call(434, 434, targets["worker"], 0)
    call(424, 424, handle, signal.SIGCONT, 0, 0)


@attempt()
def signal_by_a_descriptor(targets: Targets) -> None:
    fcntl.fcntl(1, fcntl.F_SETOWN, targets["worker"])


@attempt(Bare.SOMEWHERE)
def trace_the_worker(targets: Targets) -> None:
    call(101, 117, 0x4206, targets["worker"], 0, 0)  # PTRACE_SEIZE


@attempt()
def be_traced(_targets: Targets) -> None:
    reached(101, 117, 0x420E, 0, 0, 0)  # a request of nobody: only whether ptrace answers


@attempt(Bare.SOMEWHERE)
def read_memory_of_the_worker(targets: Targets) -> None:
    reached(310, 270, targets["worker"], bytes(16), 1, bytes(16), 1, 0)


@attempt(Bare.SOMEWHERE)
def write_memory_of_the_worker(targets: Targets) -> None:
    reached(311, 271, targets["worker"], bytes(16), 1, bytes(16), 1, 0)


@attempt(Bare.SOMEWHERE)
def take_a_descriptor_of_the_worker(targets: Targets) -> None:
    handle = call(434, 434, targets["worker"], 0)
    call(438, 438, handle, 1, 0)


@attempt()
def limit_the_worker(targets: Targets) -> None:
    limits = resource.prlimit(targets["worker"], resource.RLIMIT_NOFILE)
    resource.prlimit(targets["worker"], resource.RLIMIT_NOFILE, limits)


@attempt(Bare.ROOT)
def raise_its_priority(_targets: Targets) -> None:
    os.setpriority(os.PRIO_PROCESS, 0, -5)


@attempt()
def change_the_workers_priority(targets: Targets) -> None:
    os.setpriority(os.PRIO_PROCESS, targets["worker"], os.getpriority(os.PRIO_PROCESS, targets["worker"]))


@attempt()
def move_the_worker_to_a_core(targets: Targets) -> None:
    os.sched_setaffinity(targets["worker"], os.sched_getaffinity(targets["worker"]))


@attempt()
def inherit_a_descriptor(targets: Targets) -> None:
    os.fstat(targets["descriptor"])


@attempt()
def read_keys_from_the_environment(_targets: Targets) -> None:
    if set(os.environ) <= {"LC_ALL"}:
        raise OSError(errno.EPERM, "nothing to read")


@attempt()
def take_memory_beyond_its_limit(targets: Targets) -> None:
    mmap.mmap(-1, targets["memory"], mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | NO_RESERVE).close()


@attempt()
def write_a_file_beyond_its_limit(targets: Targets) -> None:
    path = Path(targets["scratch"], "large")
    with path.open("wb", buffering=0) as file:
        file.seek(targets["file_bytes"])
        file.write(b"x")


@attempt()
def open_more_than_its_limit(targets: Targets) -> None:
    held = []
    try:
        held += [os.dup(0) for _ in range(targets["descriptors"])]
    finally:
        for one in held:
            os.close(one)


@attempt()
def compute_without_limit(_targets: Targets) -> None:
    if resource.getrlimit(resource.RLIMIT_CPU)[0] != resource.RLIM_INFINITY:
        raise OSError(errno.EPERM, "the time of processors is bounded")
