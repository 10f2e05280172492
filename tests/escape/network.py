"""Attempts on the network: to talk to anybody but the relay, and in any other way."""

import errno
import os
import socket
from pathlib import Path

from .attempts import Bare, Targets, attempt

LOOPBACK = "127.0.0.1"
MSG_FASTOPEN = 0x20000000


def talk_to(port: int) -> None:
    """Connect to a port of this machine; without a time limit, as Python sets that by a call which tools have not."""
    with socket.socket() as caller:
        caller.connect((LOOPBACK, port))


def _made(family: int, kind: int, protocol: int = 0) -> None:
    socket.socket(family, kind, protocol).close()


@attempt()
def talk_to_another_port(targets: Targets) -> None:
    talk_to(targets["other_port"])


@attempt()
def talk_to_another_port_without_connecting(targets: Targets) -> None:
    with socket.socket() as caller:
        if caller.sendto(b"hello", MSG_FASTOPEN, (LOOPBACK, targets["other_port"])) < 1:
            raise OSError(errno.EPERM, "nothing was sent")


@attempt(Bare.SOMEWHERE)
def talk_on_several_paths(targets: Targets) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262) as caller:  # IPPROTO_MPTCP
        caller.connect((LOOPBACK, targets["other_port"]))


@attempt()
def send_a_datagram(targets: Targets) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as caller:
        caller.sendto(b"hello", (LOOPBACK, targets["other_port"]))


@attempt(Bare.SOMEWHERE)
def talk_to_the_newer_internet(_targets: Targets) -> None:
    _made(socket.AF_INET6, socket.SOCK_STREAM)


@attempt()
def listen(_targets: Targets) -> None:
    with socket.socket() as server:
        server.bind((LOOPBACK, 0))
        server.listen()


@attempt()
def talk_to_a_unix_socket(targets: Targets) -> None:
    with socket.socket(socket.AF_UNIX) as caller:
        caller.connect(targets["unix_socket"])


@attempt()
def talk_to_an_abstract_socket(targets: Targets) -> None:
    with socket.socket(socket.AF_UNIX) as caller:
        caller.connect(f"\0{targets['abstract_socket']}")


@attempt()
def make_a_unix_socket_in_scratch(targets: Targets) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(os.fspath(Path(targets["scratch"], "socket")))


@attempt()
def make_a_pair_of_sockets(_targets: Targets) -> None:
    for one in socket.socketpair():
        one.close()


@attempt(Bare.SOMEWHERE)
def talk_to_the_kernel(_targets: Targets) -> None:
    _made(socket.AF_NETLINK, socket.SOCK_RAW)


@attempt(Bare.ROOT)
def send_raw_packets(_targets: Targets) -> None:
    _made(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)


@attempt(Bare.SOMEWHERE)
def talk_to_the_kernels_ciphers(_targets: Targets) -> None:
    _made(socket.AF_ALG, socket.SOCK_SEQPACKET)


@attempt(Bare.SOMEWHERE)
def talk_to_the_host_of_a_machine(_targets: Targets) -> None:
    _made(socket.AF_VSOCK, socket.SOCK_STREAM)
