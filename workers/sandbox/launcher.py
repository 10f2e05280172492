"""Confines itself as it is told, and then becomes the tool: `python -I -S launcher.py ORDERS PROGRAM ARGUMENT...`.

A program of its own because what it gives up cannot be taken back, and because no Python may run between the fork and
the exec of a worker with threads. It decides nothing: `workers.sandbox.launching` makes its orders. It imports little,
since every start of a tool waits for it.
"""

import ctypes
import marshal
import os
import resource
import sys

NOT_STARTED = 126  # as shells say that a program could not be run
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


def main(orders: str, program: str, arguments: list[str]) -> None:
    """Confine this process and become the program. Raises OSError where either cannot be done."""
    parent, niceness, folder, limits, drops, ruleset, paths, ports, instructions = marshal.loads(bytes.fromhex(orders))  # noqa: S302 - our parent's own
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


if __name__ == "__main__":
    try:
        main(sys.argv[1], sys.argv[2], sys.argv[3:])
    except Exception as error:  # noqa: BLE001 - whatever it is, the tool must not start
        sys.stderr.write(f"{sys.argv[2]}: {error}\n")
        os._exit(NOT_STARTED)
