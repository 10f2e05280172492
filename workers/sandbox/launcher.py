"""The fork server: forks for each tool a process that confines itself as it is told and then becomes the tool.

A program of its own, `python -I -S launcher.py`, because what a process gives up cannot be taken back, and because no
Python may run between the fork and the exec of a worker with threads. This one has none. A worker starts it once, as a
Python takes far longer to start than layers and fork. It decides nothing: `workers.sandbox.launching` makes its orders,
`workers.sandbox.fork_server` sends them.

Its standard input is a socket of messages that `marshal` packs. It answers each:

    (orders, program, arguments), with the tool's two streams    the tool's process id, or an error number below 0
    a tool's process id, once the tool has ended                 how it ended, as `waitpid` says it

It ends when the worker does, which closes the socket; and tools end with it.
"""

import ctypes
import marshal
import os
import resource
import signal
import socket
import sys
from contextlib import suppress

NOT_STARTED = 126  # as shells say that a program could not be run
REQUEST_BYTES = 160 * 1024  # below what a socket's buffer takes (net.core.wmem_max, 208 KiB)
_STREAMS = 2
LANDLOCK_CREATE_RULESET, _LANDLOCK_ADD_RULE, _LANDLOCK_RESTRICT_SELF = 444, 445, 446  # on every machine
_RULE_PATH_BENEATH, _RULE_NET_PORT = 1, 2
_PR_SET_PDEATHSIG, _PR_SET_SECCOMP, _PR_CAPBSET_DROP, _PR_SET_NO_NEW_PRIVS = 1, 22, 24, 38
_SECCOMP_MODE_FILTER = 2
_CAPABILITIES = 64  # more than any kernel has; the first that is unknown ends the round
_CAPABILITY_VERSION = (0x20080522).to_bytes(4, "little")
_SIGKILL = 9
_INSTRUCTION_BYTES = 8
_MOST_DESCRIPTORS = 65536

_libc = ctypes.CDLL(None, use_errno=True)


def _call(function: "ctypes._NamedFuncPointer", *arguments: int | bytes) -> int:
    """Call a function of the C library with whole machine words and bytes. Raises OSError."""
    words = (one if isinstance(one, bytes) else ctypes.c_long(one) for one in arguments)
    done = int(function(*words))
    if done < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return done


def _die_with(parent: int) -> None:
    """Be killed when the parent ends, also when it has ended already."""
    _call(_libc.prctl, _PR_SET_PDEATHSIG, _SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        raise ProcessLookupError("the worker has ended")


def _limit(kind: int, most: int) -> None:
    """Bound a resource, below what it is bounded to already."""
    hard = resource.getrlimit(kind)[1]
    bound = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(kind, (bound, bound))


def _drop_capabilities() -> None:
    """Give up all capabilities, also those that root would get back by starting a program."""
    try:
        for number in range(_CAPABILITIES):
            _call(_libc.prctl, _PR_CAPBSET_DROP, number, 0, 0, 0)
    except OSError:
        pass  # the last one was the last, or there is no right to drop any: then none can be gained either
    _call(_libc.capset, _CAPABILITY_VERSION + bytes(4), bytes(24))


def _restrict_files(ruleset: bytes, paths: tuple[tuple[bytes, int], ...], ports: tuple[bytes, ...]) -> None:
    """Allow what the rules name and nothing else; a path that is not there needs no rule."""
    rules = _call(_libc.syscall, LANDLOCK_CREATE_RULESET, ruleset, len(ruleset), 0)
    for path, rights in paths:
        try:
            at = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except FileNotFoundError:
            continue
        beneath = rights.to_bytes(8, sys.byteorder) + at.to_bytes(4, sys.byteorder)
        _call(_libc.syscall, _LANDLOCK_ADD_RULE, rules, _RULE_PATH_BENEATH, beneath, 0)
        os.close(at)
    for port in ports:
        _call(_libc.syscall, _LANDLOCK_ADD_RULE, rules, _RULE_NET_PORT, port, 0)
    _call(_libc.syscall, _LANDLOCK_RESTRICT_SELF, rules, 0)
    os.close(rules)


def _filter_calls(instructions: bytes) -> None:
    """Have every further system call judged by the filter."""
    held = ctypes.create_string_buffer(instructions, len(instructions))
    count = len(instructions) // _INSTRUCTION_BYTES
    program = count.to_bytes(8, sys.byteorder) + ctypes.addressof(held).to_bytes(8, sys.byteorder)
    _call(_libc.prctl, _PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, program, 0, 0)


def _become(parent: int, orders: tuple, program: str, arguments: list[str]) -> None:  # type: ignore[type-arg]
    """Confine this process and become the program. Raises OSError where either cannot be done."""
    niceness, folder, limits, drops, ruleset, paths, ports, instructions = orders
    _die_with(parent)
    os.nice(niceness)
    os.chdir(folder)
    os.closerange(3, _MOST_DESCRIPTORS)
    for kind, most in limits:
        _limit(kind, most)
    _call(_libc.prctl, _PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    if ruleset:
        _restrict_files(ruleset, paths, ports)
    if drops:
        _drop_capabilities()
    if instructions:
        _filter_calls(instructions)
    os.execve(program, arguments, {"LC_ALL": "C"})  # noqa: S606 - what it is for


def _forked(request: tuple, streams: list[int]) -> int:  # type: ignore[type-arg]
    """Return the process id of a tool in a group of its own, or below 0 the number of the error."""
    parent = os.getpid()
    try:
        child = os.fork()
    except OSError as error:
        return -(error.errno or 1)
    if child:
        # Also here, as who is told of it may kill its group at once. It fails where the child is the tool already.
        with suppress(OSError):
            os.setpgid(child, child)
        return child
    try:
        os.setpgid(0, 0)
        for place, stream in enumerate(streams, start=1):
            os.dup2(stream, place)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        _become(parent, *request)
    except BaseException as error:  # noqa: BLE001 - whatever it is, the tool must not start
        os.write(2, f"{request[1]}: {error}\n".encode(errors="replace"))
    os._exit(NOT_STARTED)


def serve(channel: socket.socket) -> None:
    """Answer requests until the worker is gone."""
    while True:
        said, streams, _, _ = socket.recv_fds(channel, REQUEST_BYTES, _STREAMS)
        if not said:
            return
        request = marshal.loads(said)  # noqa: S302 - our parent's own
        answer = os.waitpid(request, 0)[1] if isinstance(request, int) else _forked(request, streams)
        for stream in streams:
            os.close(stream)
        channel.send(marshal.dumps(answer))


def main() -> None:
    """Serve the socket that standard input is; tools have none."""
    for number in (signal.SIGINT, signal.SIGTERM):  # meant for the worker, which drains: tools go on until then
        signal.signal(number, signal.SIG_IGN)
    channel = socket.socket(fileno=os.dup(0))
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    serve(channel)


if __name__ == "__main__":
    main()
