"""Run the attempts in a tool's place: `python -m escape.driver bare|on|older` prints what each came to, as JSON.

It needs Python's own library and `workers.sandbox`, so that it runs as any user and in a container.
"""

import json
import os
import socket
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from storage.errors import ToolError
from workers.sandbox import launching
from workers.sandbox.launching import MEMORY_BYTES, OPEN_FILES, OUTPUT_FILE_BYTES, Fences, fence_in
from workers.sandbox.layers import Kernel
from workers.sandbox.reach import Reach
from workers.sandbox.run import ToolLimits, run_tool

from .attempts import ATTEMPTS, Targets
from .program import SUCCEEDED

FOLDER = Path(__file__).resolve().parent
LIMITS = ToolLimits(deadline=60.0, stall=60.0)
PYTHON = os.path.realpath(sys.executable)
START = f"import sys; sys.path.insert(0, {os.fspath(FOLDER.parent)!r}); from escape.program import main; main()"
DEBIAN_12 = Kernel(landlock=2, filters=True)  # what its kernel 6.1 lends


@contextmanager
def prepared() -> Iterator[Targets]:
    """Give what the attempts are aimed at: files and sockets of somebody else, and what a tool may have."""
    with tempfile.TemporaryDirectory() as name, ExitStack() as held:
        outside, scratch = Path(name, "outside"), Path(name, "attempt", "files")
        outside.mkdir()
        scratch.mkdir(parents=True)
        files = {one: outside / one for one in ("secret", "victim", "removable", "movable", "original")}
        files["promise"] = scratch.parent / "promised.1"
        for path in files.values():
            path.write_bytes(b"somebody's")
            path.chmod(0o600)
        relay, other = (held.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(2))
        unix, abstract = (held.enter_context(socket.socket(socket.AF_UNIX)) for _ in range(2))
        unix.bind(os.fspath(outside / "socket"))
        abstract.bind(f"\0rungs-{os.getpid()}")
        for server in (relay, other, unix, abstract):
            server.listen(64)
        descriptor = os.open(files["secret"], os.O_RDONLY)
        held.callback(os.close, descriptor)
        os.set_inheritable(descriptor, True)  # noqa: FBT003 - as a careless library would
        yield {
            **{one: os.fspath(path) for one, path in files.items()},
            "outside": os.fspath(outside),
            "scratch": os.fspath(scratch),
            "code": launching.__file__,
            "disk": _disk(),
            "worker": os.getpid(),
            "port": relay.getsockname()[1],
            "other_port": other.getsockname()[1],
            "unix_socket": os.fspath(outside / "socket"),
            "abstract_socket": f"rungs-{os.getpid()}",
            "descriptor": descriptor,
            "memory": MEMORY_BYTES,
            "file_bytes": OUTPUT_FILE_BYTES,
            "descriptors": OPEN_FILES,
        }


def _disk() -> str:
    """Return a disk of this machine, or a name that is none."""
    disks = (path for path in Path("/dev").iterdir() if stat.S_ISBLK(path.stat(follow_symlinks=False).st_mode))
    return os.fspath(max(disks, default=Path("/dev/no-disk")))


def command(targets: Targets, *attempt: str) -> list[str]:
    """Return the command that makes one attempt, or all that can share a process."""
    return [PYTHON, "-I", "-S", "-c", START, json.dumps(targets), *attempt]


def bare(targets: Targets, *attempt: str) -> str:
    """Return what the program prints where it is started carelessly: without any fence, with our keys."""
    keys, given = {"OBJECT_STORE_SECRET_KEY": "secret"}, [targets["descriptor"]]
    process = subprocess.run(
        command(targets, *attempt), env=keys, pass_fds=given, capture_output=True, timeout=60, check=False
    )
    return process.stdout.decode(errors="replace") + process.stderr.decode(errors="replace")


def fenced(targets: Targets, *attempt: str) -> str:
    """Return what it prints in a tool's place."""
    read = (FOLDER.parent, Path(sys.base_prefix, "lib"), Path(targets["original"]))
    reach = Reach(read=read, write=Path(targets["scratch"]), port=targets["port"])
    printed: list[bytes] = []
    try:
        run_tool(command(targets, *attempt), LIMITS, reach=reach, take=printed.append)
    except ToolError as error:
        printed.append(f"{error.message}\n{error.detail}".encode())
    return b"".join(printed).decode(errors="replace")


def results(start: Callable[..., str]) -> dict[str, str]:
    """Return by the name of each attempt what it came to: SUCCEEDED, or how it was refused."""
    with prepared() as targets:
        said = start(targets)
    found = {name: came_to for name, _, came_to in (line.partition(" ") for line in said.splitlines())}
    if found.get("end") != SUCCEEDED:
        raise RuntimeError(said)
    del found["end"]
    for name, one in ATTEMPTS.items():
        if one.alone:
            with prepared() as targets:
                said = start(targets, name)
            found[name] = SUCCEEDED if said.strip().endswith(SUCCEEDED) else said.removeprefix(f"{name} ")
    return found


def main(mode: str) -> None:
    """Print the results without any fence, with all of them, or with those that an older kernel lends."""
    if mode == "older":
        fence_in(Fences(lent=DEBIAN_12))
    print(json.dumps(results(bare if mode == "bare" else fenced)))


if __name__ == "__main__":
    main(sys.argv[1])
