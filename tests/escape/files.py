"""Attempts on files: to read what is not its own, to write elsewhere, to leave something other than regular files."""

import os
import stat
from pathlib import Path

from .attempts import Bare, Targets, attempt, call, reached


@attempt()
def read_another_original(targets: Targets) -> None:
    Path(targets["secret"]).read_bytes()


@attempt(Bare.ROOT)
def read_password_hashes(_targets: Targets) -> None:
    Path("/etc/shadow").read_bytes()


@attempt()
def read_accounts(_targets: Targets) -> None:
    Path("/etc/passwd").read_bytes()


@attempt(Bare.SOMEWHERE)
def read_raw_disk(targets: Targets) -> None:
    with Path(targets["disk"]).open("rb") as disk:
        disk.read(512)


@attempt()
def read_environment_of_worker(targets: Targets) -> None:
    Path(f"/proc/{targets['worker']}/environ").read_bytes()


@attempt(Bare.SOMEWHERE)
def open_memory_of_worker(targets: Targets) -> None:
    with Path(f"/proc/{targets['worker']}/mem").open("rb"):
        pass


@attempt()
def read_own_process(_targets: Targets) -> None:
    Path("/proc/self/maps").read_bytes()


@attempt()
def list_a_folder(targets: Targets) -> None:
    os.listdir(targets["outside"])  # noqa: PTH208 - as plain as an attack


@attempt()
def read_by_a_handle_of_the_folder_above(targets: Targets) -> None:
    above = os.open(Path(targets["outside"]).parent, os.O_PATH)
    os.close(os.open(Path(targets["secret"]).relative_to(Path(targets["outside"]).parent), os.O_RDONLY, dir_fd=above))


@attempt()
def write_another_jobs_file(targets: Targets) -> None:
    with Path(targets["victim"]).open("r+b") as file:
        file.write(b"x")


@attempt(Bare.SOMEWHERE)
def write_product_code(targets: Targets) -> None:
    with Path(targets["code"]).open("r+b"):
        pass


@attempt()
def write_its_own_original(targets: Targets) -> None:
    with Path(targets["original"]).open("r+b") as file:
        file.write(b"x")


@attempt()
def make_a_file_elsewhere(targets: Targets) -> None:
    Path(targets["outside"], "made").write_bytes(b"x")


@attempt()
def make_a_file_in_shared_memory(_targets: Targets) -> None:
    path = Path(f"/dev/shm/rungs-{os.getpid()}")  # noqa: S108 - the very place
    path.write_bytes(b"x")
    path.unlink()


@attempt()
def empty_a_file_by_its_name(targets: Targets) -> None:
    os.truncate(targets["victim"], 0)


@attempt()
def empty_its_own_original_by_opening_it(targets: Targets) -> None:
    os.close(os.open(targets["original"], os.O_RDONLY | os.O_TRUNC))


@attempt()
def change_a_mode(targets: Targets) -> None:
    Path(targets["victim"]).chmod(0o666)


@attempt()
def change_a_mode_in_scratch(targets: Targets) -> None:
    made = Path(targets["scratch"], "with_mode")
    made.touch()
    made.chmod(0o4777)


@attempt()
def change_an_owner(targets: Targets) -> None:
    os.chown(targets["victim"], os.getuid(), -1)


@attempt()
def change_times(targets: Targets) -> None:
    os.utime(targets["victim"])


@attempt(Bare.SOMEWHERE)
def set_an_attribute(targets: Targets) -> None:
    os.setxattr(targets["victim"], "user.rungs", b"x")


@attempt()
def remove_a_file(targets: Targets) -> None:
    Path(targets["removable"]).unlink()


@attempt()
def move_a_file_into_scratch(targets: Targets) -> None:
    Path(targets["movable"]).rename(Path(targets["scratch"], "moved"))


@attempt()
def link_a_file_into_scratch(targets: Targets) -> None:
    os.link(targets["secret"], Path(targets["scratch"], "linked"))


@attempt()
def make_a_symbolic_link(targets: Targets) -> None:
    Path(targets["scratch"], "pointer").symlink_to(targets["secret"])


@attempt()
def make_a_fifo(targets: Targets) -> None:
    os.mkfifo(Path(targets["scratch"], "fifo"))


@attempt(Bare.ROOT)
def make_a_device(targets: Targets) -> None:
    os.mknod(Path(targets["scratch"], "device"), stat.S_IFCHR | 0o600, os.makedev(1, 3))


@attempt()
def make_a_folder(targets: Targets) -> None:
    Path(targets["scratch"], "folder").mkdir()


@attempt()
def remove_the_promise_of_space(targets: Targets) -> None:
    Path(targets["promise"]).unlink()


@attempt()
def make_a_promise_of_space(targets: Targets) -> None:
    Path(targets["promise"]).with_name("promised.999999999999999").touch()


@attempt()
def name_a_file_by_a_handle(_targets: Targets) -> None:
    reached(303, 264, -100, b"/etc/passwd\0", bytes(200), bytes(8), 0)


@attempt()
def watch_a_folder(targets: Targets) -> None:
    watching = call(294, 26, 0)
    call(254, 27, watching, os.fsencode(targets["outside"]) + b"\0", 0x100)
