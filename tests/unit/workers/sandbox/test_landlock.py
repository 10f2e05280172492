"""Landlock's rules for a tool, by the version that the kernel has."""

from __future__ import annotations

from pathlib import Path

import pytest

from storage.model.layers import Layer
from workers.sandbox.landlock import (
    CONNECT_TCP,
    EXECUTE,
    IOCTL_DEV,
    MAKE_DIR,
    MAKE_FIFO,
    MAKE_REG,
    MAKE_SYM,
    READ_DIR,
    READ_FILE,
    REFER,
    REMOVE_FILE,
    TRUNCATE,
    WRITE_FILE,
    Rights,
    handled,
    of_a_file,
    rules_for,
)
from workers.sandbox.layers import Kernel, missing
from workers.sandbox.reach import NOTHING, Reach, reach_of

PROGRAM = Path("/usr/bin/ffmpeg")
SCRATCH = Path("/data/scratch/a/files")
ORIGINAL = Path("/data/objects/jobs/1/original")


def rights(reach: Reach, path: Path, version: int = 7) -> int:
    """Return what a tool of this reach may do beneath a path."""
    found = 0
    for beneath, allowed in rules_for(reach, PROGRAM, (), version).paths:
        found |= allowed if path.is_relative_to(beneath) else 0
    return found


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        (0, Rights()),
        (1, Rights(0x1FFF)),
        (2, Rights(0x3FFF)),
        (3, Rights(0x7FFF)),
        (4, Rights(0x7FFF, 3)),
        (5, Rights(0xFFFF, 3)),
        (6, Rights(0xFFFF, 3, 3)),
        (7, Rights(0xFFFF, 3, 3)),
        (99, Rights(0xFFFF, 3, 3)),
    ],
)
def test_each_version_handles_what_it_knows(version: int, expected: Rights) -> None:
    """As <linux/landlock.h> has it; a right that the kernel does not know would be an error."""
    assert handled(version) == expected


@pytest.mark.parametrize("version", range(1, 8))
def test_no_rule_names_what_is_not_handled(version: int) -> None:
    """The kernel refuses such a rule."""
    rules = rules_for(Reach((ORIGINAL,), SCRATCH, 4000), PROGRAM, (Path("/opt"),), version)
    assert all(allowed & ~rules.handled.files == 0 for _, allowed in rules.paths)
    assert rules.ports == ((4000,) if version >= 4 else ())


def test_a_tool_reads_its_original_and_writes_its_scratch() -> None:
    """Regular files, and neither links, folders, FIFOs nor removals."""
    reach = Reach((ORIGINAL,), SCRATCH)
    assert rights(reach, ORIGINAL) == READ_FILE | READ_DIR
    assert rights(reach, SCRATCH) == READ_FILE | READ_DIR | WRITE_FILE | TRUNCATE | MAKE_REG
    assert not rights(reach, SCRATCH) & (EXECUTE | MAKE_DIR | MAKE_FIFO | MAKE_SYM | REMOVE_FILE | REFER | IOCTL_DEV)


@pytest.mark.parametrize("path", ["/etc/passwd", "/proc/self/maps", "/dev/sda", "/data/objects/jobs/2/original", "/"])
def test_nothing_else_is_open(path: str) -> None:
    """By the default of being handled."""
    assert rights(Reach((ORIGINAL,), SCRATCH), Path(path)) == 0
    assert rights(NOTHING, ORIGINAL) == 0


def test_only_the_tool_and_the_loader_are_executed() -> None:
    """And what stands in a folder that the operator named."""
    rules = rules_for(Reach((ORIGINAL,), SCRATCH), PROGRAM, (Path("/opt/tools"),), 7)
    executed = {str(path) for path, allowed in rules.paths if allowed & EXECUTE}
    assert executed == {"/usr/bin/ffmpeg", "/lib64/ld-linux-x86-64.so.2", "/lib/ld-linux-aarch64.so.1", "/opt/tools"}
    assert of_a_file(EXECUTE | READ_FILE | READ_DIR | MAKE_REG) == EXECUTE | READ_FILE


def test_the_kernel_gets_it_packed() -> None:
    """In the order of its structures."""
    rules = rules_for(Reach(port=4000), PROGRAM, (), 7)
    assert rules.handled.packed() == (0xFFFF).to_bytes(8, "little") + (3).to_bytes(8, "little") * 2
    assert rules.packed_ports() == (CONNECT_TCP.to_bytes(8, "little") + (4000).to_bytes(8, "little"),)


def test_a_reach_is_that_of_one_input() -> None:
    """A path is read, an address is a port."""
    assert reach_of("/data/original") == Reach(read=(Path("/data/original"),))
    assert reach_of("http://127.0.0.1:4000/secret", SCRATCH) == Reach(write=SCRATCH, port=4000)


@pytest.mark.parametrize(
    ("kernel", "expected"),
    [
        (Kernel(7, filters=True), ()),
        (Kernel(4, filters=True), ()),
        (Kernel(2, filters=True), (Layer.PORTS,)),
        (Kernel(0, filters=True), (Layer.FILES, Layer.PORTS)),
        (Kernel(7, filters=False), (Layer.CALLS,)),
    ],
)
def test_what_a_kernel_lacks_is_known(kernel: Kernel, expected: tuple[Layer, ...]) -> None:
    """Only what no other layer makes up for."""
    assert missing(kernel) == expected
