"""What the fork server is told of a tool: what a process gives up before it becomes the tool."""

from __future__ import annotations

import math
import os
import resource
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from storage.errors import UnforeseenError
from workers.sandbox.landlock import of_a_file, rules_for
from workers.sandbox.layers import Kernel, kernel
from workers.sandbox.reach import Reach
from workers.sandbox.seccomp import filter_for

MEMORY_BYTES = 8 * 1024**3  # address space: 8K H.264 at one thread maps under 3 GiB; a bomb must not take the machine
OUTPUT_FILE_BYTES = 256 * 1024**3  # no single output is larger; a looping muxer stops here instead of at a full disk
OPEN_FILES = 256  # a ladder opens under 20
_Limits = tuple[tuple[int, int], ...]
# What `launcher` takes apart.
_Orders = tuple[int, bytes, _Limits, bool, bytes, tuple[tuple[bytes, int], ...], tuple[bytes, ...], bytes]
Request = tuple[_Orders, str, list[str]]
_NO_LAYERS = Kernel(landlock=0, filters=False)
_NO_FOLDER = "/"  # of a tool that writes nothing: none of ours


@dataclass(frozen=True, slots=True)
class Fences:
    """How this process fences tools in: with the layers that the kernel lends, or `off`, without any.

    `tool_folders` are read and executed by every tool: where ffmpeg or its libraries lie in an unusual place. `lent` is
    what another kernel lends, for comparison.
    """

    off: bool = False
    tool_folders: tuple[Path, ...] = ()
    lent: Kernel | None = None

    @property
    def layers(self) -> Kernel:
        """Return the layers that tools get."""
        return _NO_LAYERS if self.off else self.lent or kernel()


@dataclass(slots=True)
class _Chosen:
    fences: Fences = field(default_factory=Fences)


_chosen = _Chosen()


def fence_in(fences: Fences) -> None:
    """Fence in every tool that this process and its children start from now on in this way; once, at its start."""
    _chosen.fences = fences


def fences() -> Fences:
    """Return how tools are fenced in."""
    return _chosen.fences


def request_for(argv: Sequence[str], reach: Reach, *, niceness: int, seconds: float, memory: int) -> Request:
    """Return what starts a tool that may reach so much, for so many `seconds`.

    `memory` is what it may allocate, in bytes.

    Raises UnforeseenError where the tool is not installed.
    """
    found = shutil.which(argv[0])
    if found is None:
        raise UnforeseenError(detail=f"{argv[0]} could not be started on this worker: it is not on PATH.")
    program = Path(found).resolve()
    orders = _orders(program, reach, _limits(seconds, memory), niceness=niceness)
    return orders, str(program), list(argv)


def _orders(program: Path, reach: Reach, limits: _Limits, *, niceness: int) -> _Orders:
    """Return niceness, folder, limits, whether capabilities go, ruleset, rules of paths and ports, filter."""
    chosen, lent = _chosen.fences, _chosen.fences.layers
    rules = rules_for(reach, program, chosen.tool_folders, lent.landlock)
    paths = tuple((os.fsencode(path), rights if path.is_dir() else of_a_file(rights)) for path, rights in rules.paths)
    return (
        niceness,
        os.fsencode(reach.write or _NO_FOLDER),
        limits,
        not chosen.off,
        rules.handled.packed() if lent.landlock else b"",
        paths,
        rules.packed_ports(),
        _filter(network=reach.port is not None) if lent.filters else b"",
    )


def _limits(seconds: float, memory: int) -> _Limits:
    """Return the bounds of the tool's resources; its processor time is all that it can use until its deadline."""
    return (
        (resource.RLIMIT_AS, MEMORY_BYTES),
        (resource.RLIMIT_DATA, memory),  # the libraries that it maps are not its own doing
        (resource.RLIMIT_FSIZE, OUTPUT_FILE_BYTES),
        (resource.RLIMIT_NOFILE, OPEN_FILES),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_CPU, math.ceil(seconds) * (os.cpu_count() or 1)),
    )


@cache
def _filter(*, network: bool) -> bytes:
    return filter_for(os.uname().machine, network=network)
