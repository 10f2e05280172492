"""No upload makes a tool open a file beside it or reach a port, whatever it holds and whatever it is called."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from tests.support.baits import baits
from tests.support.canaries import Canaries
from tests.support.silence import WRONG_NAMES, opened, tells_a_secret
from workers.sandbox.allowed_inputs import input_arguments

# What a tool without the lists opens or reaches for each bait that it follows; of the others it knows no such thing.
LEAKS = {
    "hls, web": {"tcp"},
    "hls, file": {"secret.ts"},
    "hls, beside": {"secret.ts"},
    "hls, master": {"tcp"},
    "concat": {"secret.ts"},
    "dash, web": {"tcp"},
    "dash, file": {"secret.mp4"},
    "vobsub": {"secret.sub"},
}


@pytest.fixture(scope="module")
def canaries(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Canaries]:
    """Give canaries that nothing has touched yet."""
    with Canaries(tmp_path_factory.mktemp("beside")) as found:
        yield found


def test_the_canaries_notice(canaries: Canaries) -> None:
    """An opening, a connection and a datagram are each seen, once."""
    (canaries.folder / "secret.txt").read_text()
    with socket.create_connection(("127.0.0.1", canaries.port)) as connection:
        assert connection.recv(1) == b""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sending:
        sending.sendto(b"x", ("127.0.0.1", canaries.udp_port))
    assert canaries.touched() == ["secret.txt", "tcp", "udp"]
    assert canaries.touched() == []


@pytest.mark.parametrize("kind", LEAKS)
def test_a_tool_without_the_lists_leaks(kind: str, canaries: Canaries) -> None:
    """So what is silent below is silent for the lists."""
    path = canaries.folder / ("secret.idx" if kind == "vobsub" else "upload")
    path.write_bytes(baits(canaries)[kind])
    opened(path, ["-protocol_whitelist", "file,http,tcp,udp,rtp,concat,subfile,crypto,data"])
    assert set(canaries.touched()) >= LEAKS[kind]


@pytest.mark.parametrize("name", WRONG_NAMES[:2])
def test_no_bait_is_taken(name: str, canaries: Canaries) -> None:
    """Neither ffprobe nor ffmpeg, with what stands before every input of the pipeline."""
    path = canaries.folder / name
    for kind, data in baits(canaries).items():
        path.write_bytes(data)
        said = opened(path, input_arguments(str(path)))
        assert (kind, canaries.touched(), tells_a_secret(said)) == (kind, [], False)
