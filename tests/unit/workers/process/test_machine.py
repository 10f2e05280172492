"""What the kernel tells of this machine and of the groups around us, and what it does not."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from workers.process.machine import available_memory, load_of, machine_state, stalled_of

MIB = 1024**2


def write(kernel: Path, **files: str) -> Path:
    """Write files of the kernel; `__` in their names stands for `/`."""
    for name, text in files.items():
        path = kernel / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return kernel


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """Give a machine with 1000 MiB of memory left."""
    return write(tmp_path, proc__meminfo=f"MemTotal: 9999999 kB\nMemAvailable: {1000 * 1024} kB\n")


def group(kernel: Path, path: str, limit: str, used: int, cached: int) -> None:
    """Write a group's memory as version 2 shows it, in MiB."""
    folder = kernel / "sys/fs/cgroup" / path
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "memory.max").write_text(limit)
    (folder / "memory.current").write_text(str(used * MIB))
    (folder / "memory.stat").write_text(f"anon 1\ninactive_file {cached * MIB}\n")


def test_the_machine_counts_where_there_is_no_limit(machine: Path) -> None:
    """Without groups, and in one without a limit."""
    assert available_memory(machine) == 1000 * MIB
    write(machine, proc__self__cgroup="0::/rungs\n")
    group(machine, "rungs", "max\n", 800, 0)
    assert available_memory(machine) == 1000 * MIB


def test_the_narrowest_group_around_us_counts(machine: Path) -> None:
    """Cached files are given up first, so they count as free; a group further out may be the narrower one."""
    write(machine, proc__self__cgroup="0::/all/rungs\n")
    group(machine, "all/rungs", f"{700 * MIB}\n", 300, 100)
    assert available_memory(machine) == 500 * MIB
    group(machine, "all", f"{2000 * MIB}\n", 1900, 50)
    assert available_memory(machine) == 150 * MIB
    group(machine, "all", f"{2000 * MIB}\n", 2100, 50)
    assert available_memory(machine) == 0


def test_a_container_sees_its_own_group_as_the_root(machine: Path) -> None:
    """The path that /proc tells does not exist inside; the limit lies at the root of what is mounted."""
    write(machine, proc__self__cgroup="0::/docker/abc\n")
    group(machine, "", f"{300 * MIB}\n", 100, 0)
    assert available_memory(machine) == 200 * MIB


def test_the_older_groups_are_read_too(machine: Path) -> None:
    """Their files have other names, and their limit is a number near the largest where there is none."""
    folder = "sys__fs__cgroup__memory__rungs__memory"
    write(
        machine,
        proc__self__cgroup="9:name=systemd:/\n4:cpu,memory:/rungs\n0::/\n",
        **{
            f"{folder}.limit_in_bytes": f"{600 * MIB}\n",
            f"{folder}.usage_in_bytes": f"{200 * MIB}\n",
            f"{folder}.stat": f"inactive_file 7\ntotal_inactive_file {10 * MIB}\n",
            "sys__fs__cgroup__memory__memory.limit_in_bytes": "9223372036854771712\n",
            "sys__fs__cgroup__memory__memory.usage_in_bytes": "5\n",
        },
    )
    assert available_memory(machine) == 410 * MIB


def test_load_is_that_of_a_core(tmp_path: Path) -> None:
    """The average of a minute."""
    write(tmp_path, proc__loadavg=f"{3.0 * (os.cpu_count() or 1)} 2.0 1.0 3/112 1363\n")
    assert load_of(tmp_path) == pytest.approx(3.0)


def test_only_time_in_which_nothing_could_go_on_counts(tmp_path: Path) -> None:
    """Of the last ten seconds."""
    text = "some avg10=90.00 avg60=0.00 avg300=0.00 total=1\nfull avg10=12.50 avg60=99.00 avg300=0.00 total=1\n"
    write(tmp_path, proc__pressure__memory=text)
    assert stalled_of(tmp_path) == pytest.approx(0.125)


def test_what_the_kernel_does_not_tell_is_no_reason(tmp_path: Path) -> None:
    """Without any of its files nothing is known to be short."""
    assert (available_memory(tmp_path), load_of(tmp_path), stalled_of(tmp_path)) == (None, 0.0, 0.0)


def test_this_machine_tells(tmp_path: Path) -> None:
    """Every figure can be read here."""
    machine = machine_state(tmp_path)
    assert machine.scratch > 0
    assert machine.memory is not None
    assert machine.memory > 0
