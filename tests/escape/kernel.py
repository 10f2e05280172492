"""Attempts on the kernel: calls that are no tool's business, and those of other sets than the machine's own."""

import ctypes
import fcntl
import mmap
import os
import termios
import tty

from .attempts import X86, Bare, Targets, attempt, call, reached


@attempt(Bare.SOMEWHERE)
def make_a_ring(_targets: Targets) -> None:
    reached(425, 425, 1, 0)


@attempt(Bare.SOMEWHERE, alone=True)
def make_a_user_namespace(_targets: Targets) -> None:
    call(272, 97, 0x10000000)


@attempt()
def unshare(_targets: Targets) -> None:
    call(272, 97, 0x400)


@attempt(Bare.SOMEWHERE)
def enter_a_namespace(_targets: Targets) -> None:
    reached(308, 268, -1, 0)


@attempt(Bare.ROOT)
def mount(targets: Targets) -> None:
    folder = os.fsencode(targets["outside"]) + b"\0"
    call(165, 40, b"none\0", folder, b"tmpfs\0", 0, 0)
    call(166, 39, folder, 0)


@attempt(Bare.ROOT)
def mount_by_the_newer_calls(_targets: Targets) -> None:
    os.close(call(430, 430, b"tmpfs\0", 0))


@attempt(Bare.ROOT)
def change_its_root(_targets: Targets) -> None:
    call(161, 51, b"/\0")


@attempt(Bare.SOMEWHERE)
def load_a_program_into_the_kernel(_targets: Targets) -> None:
    reached(321, 280, 99, 0, 0)


@attempt(Bare.SOMEWHERE)
def watch_the_processor(_targets: Targets) -> None:
    reached(298, 241, 0, 0, -1, -1, 0)


@attempt(Bare.SOMEWHERE)
def ask_for_keys(_targets: Targets) -> None:
    reached(250, 219, 0, -3, 0)


@attempt(Bare.SOMEWHERE)
def add_a_key(_targets: Targets) -> None:
    reached(248, 217, 0, 0, 0, 0, 0)


@attempt(Bare.SOMEWHERE)
def request_a_key(_targets: Targets) -> None:
    reached(249, 218, 0, 0, 0, 0)


@attempt(Bare.SOMEWHERE)
def handle_its_own_page_faults(_targets: Targets) -> None:
    os.close(call(323, 282, 1))


@attempt()
def share_memory(_targets: Targets) -> None:
    call(31, 195, call(29, 194, 0, 4096, 0o1600), 0, 0)  # made, and marked to be removed


@attempt()
def have_a_queue(_targets: Targets) -> None:
    reached(240, 180, b"rungs-none\0", 0, 0, 0)


@attempt()
def change_its_personality(_targets: Targets) -> None:
    call(135, 92, 0xFFFFFFFF)


@attempt()
def change_its_user(_targets: Targets) -> None:
    os.setresuid(-1, -1, -1)


@attempt()
def set_its_own_filter(_targets: Targets) -> None:
    reached(317, 277, 99, 0, 0)


@attempt()
def ask_a_device(_targets: Targets) -> None:
    fcntl.ioctl(1, termios.FIONREAD, bytes(4))


@attempt(Bare.SOMEWHERE)
def type_into_a_terminal(_targets: Targets) -> None:
    leader, follower = os.openpty()
    tty.setraw(follower)
    fcntl.ioctl(follower, termios.TIOCSTI, b"x")
    os.close(leader)


def _machine_code(code: bytes) -> int:
    held = mmap.mmap(-1, mmap.PAGESIZE, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    held.write(code)
    return int(ctypes.CFUNCTYPE(ctypes.c_long)(ctypes.addressof(ctypes.c_char.from_buffer(held)))())


@attempt(Bare.SOMEWHERE, alone=True)
def make_a_call_of_32_bits(_targets: Targets) -> None:
    # mov eax, 20 (getpid); int 0x80; ret
    if not X86 or _machine_code(bytes.fromhex("b814000000cd80c3")) <= 0:
        raise OSError


@attempt(Bare.SOMEWHERE, alone=True)
def make_a_call_of_x32(_targets: Targets) -> None:
    call(0x40000000 + 39, -1)
