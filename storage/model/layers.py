"""The layers of the sandbox around tools, which a machine's kernel may lack."""

from __future__ import annotations

from enum import StrEnum


class Layer(StrEnum):
    """What a kernel may lack, by what is open to a tool without it."""

    FILES = "files"  # it reads and writes all that the worker may
    PORTS = "ports"  # it connects to every TCP port
    CALLS = "calls"  # it starts processes, signals others, and makes sockets of all kinds
