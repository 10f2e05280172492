"""Landlock's rules for a tool: which files it may open and how, and which TCP port it may connect to. Pure.

The rights are those of <linux/landlock.h>; what is handled and not allowed by a rule is refused.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

from workers.sandbox.reach import Reach

EXECUTE = 1 << 0
WRITE_FILE = 1 << 1
READ_FILE = 1 << 2
READ_DIR = 1 << 3
REMOVE_DIR = 1 << 4
REMOVE_FILE = 1 << 5
MAKE_CHAR = 1 << 6
MAKE_DIR = 1 << 7
MAKE_REG = 1 << 8
MAKE_SOCK = 1 << 9
MAKE_FIFO = 1 << 10
MAKE_BLOCK = 1 << 11
MAKE_SYM = 1 << 12
REFER = 1 << 13  # links and moves between folders
TRUNCATE = 1 << 14
IOCTL_DEV = 1 << 15
BIND_TCP = 1 << 0
CONNECT_TCP = 1 << 1
SCOPE_ABSTRACT_SOCKETS = 1 << 0
SCOPE_SIGNALS = 1 << 1

_OF_FILES = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV  # a rule for a file may name no others
_READ = READ_FILE | READ_DIR
# Neither removed nor renamed: no command of ours does it, and folders are made for tools, not by them.
_WRITE = READ_FILE | READ_DIR | WRITE_FILE | TRUNCATE | MAKE_REG

FILES_VERSION = 1  # the first that has rules for files
PORTS_VERSION = 4  # the first that has rules for TCP ports

# The loader is started by the kernel in place of each program, so it needs the right of being executed.
_LOADERS = ("/lib64/ld-linux-x86-64.so.2", "/lib/ld-linux-aarch64.so.1")
_LIBRARIES = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/etc/ld.so.cache")
_NULL = "/dev/null"


@dataclass(frozen=True, slots=True)
class Rights:
    """Rights of files, of the network, and what is scoped to the tool itself."""

    files: int = 0
    network: int = 0
    scoped: int = 0

    def packed(self) -> bytes:
        """Return the kernel's `struct landlock_ruleset_attr`; older kernels take it where its end is zero."""
        return struct.pack("=QQQ", self.files, self.network, self.scoped)


# What each version of Landlock brought: kernel 5.13, 5.19, 6.2, 6.7, 6.10, 6.12, 6.15 (for the audit log only).
_BROUGHT = {
    1: Rights(files=2 * MAKE_SYM - 1),  # all up to that one
    2: Rights(files=REFER),
    3: Rights(files=TRUNCATE),
    4: Rights(network=BIND_TCP | CONNECT_TCP),
    5: Rights(files=IOCTL_DEV),
    6: Rights(scoped=SCOPE_ABSTRACT_SOCKETS | SCOPE_SIGNALS),
    7: Rights(),
}


@dataclass(frozen=True, slots=True)
class Rules:
    """What is handled, and what of it is allowed: rights beneath paths, and TCP ports to connect to."""

    handled: Rights
    paths: tuple[tuple[Path, int], ...]
    ports: tuple[int, ...]

    def packed_ports(self) -> tuple[bytes, ...]:
        """Return a `struct landlock_net_port_attr` for each port."""
        return tuple(struct.pack("=QQ", CONNECT_TCP, port) for port in self.ports)


def handled(version: int) -> Rights:
    """Return all rights that Landlock of this version knows; a newer one is used as the newest known."""
    known = [brought for since, brought in _BROUGHT.items() if since <= version]
    files = network = scoped = 0
    for one in known:
        files, network, scoped = files | one.files, network | one.network, scoped | one.scoped
    return Rights(files, network, scoped)


def rules_for(reach: Reach, program: Path, tool_folders: tuple[Path, ...], version: int) -> Rules:
    """Return the rules for a tool of this reach, whose program is at a path and its further files in `tool_folders`.

    Paths that do not exist are for whoever applies the rules to leave out.
    """
    known = handled(version)
    paths = [
        (program, EXECUTE | READ_FILE),
        *((Path(loader), EXECUTE | READ_FILE) for loader in _LOADERS),
        *((Path(library), _READ) for library in _LIBRARIES),
        *((folder, EXECUTE | _READ) for folder in tool_folders),
        (Path(_NULL), READ_FILE | WRITE_FILE),
        *((path, _READ) for path in reach.read),
        *([] if reach.write is None else [(reach.write, _WRITE)]),
    ]
    ports = (reach.port,) if reach.port is not None and known.network else ()
    return Rules(known, tuple((path, rights & known.files) for path, rights in paths), ports)


def of_a_file(rights: int) -> int:
    """Return those of the rights that a rule for a single file may name."""
    return rights & _OF_FILES
