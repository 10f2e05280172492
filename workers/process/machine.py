"""What this machine, or the container it is seen through, has left: read from the kernel's own files."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from workers.process.pause_policy import MachineState
from workers.sandbox.scratch import free_scratch

_KIB = 1024
_FULL = re.compile(r"^full avg10=([0-9.]+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class _Controller:
    """Where one version of control groups keeps a group's memory: mount, its name in /proc/self/cgroup, three files."""

    mount: str
    name: str
    limit: str
    usage: str
    cache: str  # of memory.stat: what is used, but given up before anything else


_CONTROLLERS = (
    _Controller("sys/fs/cgroup", "", "memory.max", "memory.current", "inactive_file"),
    _Controller(
        "sys/fs/cgroup/memory", "memory", "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"
    ),
)


def machine_state(scratch: Path, *, kernel: Path = Path("/")) -> MachineState:
    """Return what is left for another task; `scratch` is the folder of attempts, `kernel` where /proc and /sys lie."""
    return MachineState(free_scratch(scratch), available_memory(kernel), load_of(kernel), stalled_of(kernel))


def available_memory(kernel: Path) -> int | None:
    """Return the bytes that can be had without swapping, by machine and groups around us; None if unknown."""
    free = [*_of_machine(kernel), *(left for controller in _CONTROLLERS for left in _of_groups(kernel, controller))]
    return min(free, default=None)


def load_of(kernel: Path) -> float:
    """Return how many programs wanted to run over the last minute, for each core of the machine."""
    text = _text(kernel / "proc/loadavg")
    return float(text.split()[0]) / (os.cpu_count() or 1) if text else 0.0


def stalled_of(kernel: Path) -> float:
    """Return the share of the last ten seconds in which all that could run waited for memory; 0 if unknown."""
    found = _FULL.search(_text(kernel / "proc/pressure/memory"))
    return float(found[1]) / 100 if found else 0.0


def _of_machine(kernel: Path) -> Iterator[int]:
    for line in _text(kernel / "proc/meminfo").splitlines():
        if line.startswith("MemAvailable:"):
            yield int(line.split()[1]) * _KIB


def _of_groups(kernel: Path, controller: _Controller) -> Iterator[int]:
    """Yield what is left under each limit; inside a container the path may lie beyond what is mounted, its end not."""
    root = kernel / controller.mount
    for line in _text(kernel / "proc/self/cgroup").splitlines():
        _, names, path = line.split(":", 2)
        if controller.name in names.split(","):
            own = root / path.lstrip("/")
            for group in (own, *own.parents):
                yield from _left_in(group, controller)
                if group == root:
                    break


def _left_in(group: Path, controller: _Controller) -> Iterator[int]:
    limit, usage = _text(group / controller.limit).strip(), _text(group / controller.usage).strip()
    if limit.isdigit() and usage.isdigit():
        counted = dict(line.split() for line in _text(group / "memory.stat").splitlines())
        yield max(0, int(limit) - int(usage) + int(counted.get(controller.cache, 0)))


def _text(file: Path) -> str:
    """Return what the kernel's file says, nothing where this kernel or container has none."""
    try:
        return file.read_text()
    except OSError:
        return ""
