"""Throughput and memory of a 2 GiB upload through the web service into MinIO, beside a direct put by minio-py.

    .venv/bin/python tests/bench/upload.py [--gib 2] [--rounds 3]

Both send the same bytes, made on the fly, into the same MinIO, in turns. The web service must grow by less than 64 MiB.
"""

from __future__ import annotations

import argparse
import http.client
import io
import random
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import BinaryIO, Self, cast

sys.path.insert(0, str(Path(__file__).parents[2]))  # run as a script

from minio import Minio
from minio.deleteobjects import DeleteObject

from tests.bench.service import web_over_minio
from tests.support.servers import MINIO_PASSWORD, MINIO_USER
from tests.support.web_server import WebServer

MIB = 1024**2
BUCKET = "bench"
BLOCK = random.Random(0).randbytes(MIB)  # compresses to nothing smaller
BOUNDARY = "----rungs-bench"
HEAD = (
    f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="bench.mp4"\r\n'
    "Content-Type: video/mp4\r\n\r\n"
).encode()
TAIL = f"\r\n--{BOUNDARY}--\r\n".encode()
MAX_GROWTH = 64 * MIB
SAMPLE_SECONDS = 0.02
ANSWER_SECONDS = 600


class Blocks(io.RawIOBase):
    """A readable stream of so many bytes that are never all in memory."""

    def __init__(self, size: int) -> None:
        self._left = size

    def read(self, size: int = -1) -> bytes:
        """Return up to `size` bytes, at most one block."""
        wanted = min(self._left, len(BLOCK), size if size >= 0 else self._left)
        self._left -= wanted
        return BLOCK[:wanted]


@dataclass
class Memory:
    """Samples a process's memory while it is entered: `growth` is the peak above the beginning, in bytes."""

    server: WebServer
    growth: int = 0
    _ended: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._sample, args=(self.server.resident_bytes(),))
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _sample(self, beginning: int) -> None:
        while not self._ended.wait(SAMPLE_SECONDS):
            self.growth = max(self.growth, self.server.resident_bytes() - beginning)


def through_web(server: WebServer, size: int) -> None:
    """Post the bytes as a form, as a browser does."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=ANSWER_SECONDS)
    headers = {
        "Content-Type": f"multipart/form-data; boundary={BOUNDARY}",
        "Content-Length": str(len(HEAD) + size + len(TAIL)),
    }
    connection.request("POST", "/api/jobs", body=_form(size), headers=headers)
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    if answer.status != http.HTTPStatus.ACCEPTED:
        sys.exit(f"the upload was answered with {answer.status}: {text}")


def _form(size: int) -> Iterator[bytes]:
    yield HEAD
    blocks = Blocks(size)
    while data := blocks.read(MIB):
        yield data
    yield TAIL


def directly(client: Minio, size: int) -> None:
    """Put the bytes with minio-py as its documentation shows it."""
    client.put_object(BUCKET, "direct", cast("BinaryIO", Blocks(size)), length=size)  # it is only read


def emptied(client: Minio) -> None:
    """Remove every object: a round must not fill the disk of the next."""
    names = (DeleteObject(found.object_name) for found in client.list_objects(BUCKET, recursive=True))
    if errors := list(client.remove_objects(BUCKET, names)):
        sys.exit(f"could not empty the bucket: {errors[0]}")


def measure(server: WebServer, client: Minio, size: int, rounds: int) -> bool:
    """Print a line for each round and the median; tell whether the memory stayed within its bound."""
    print("| round | web MiB/s | direct MiB/s | web / direct | growth of the web process, MiB |")
    print("|---|---|---|---|---|")
    ratios, growths = [], []
    for number in range(1, rounds + 1):
        began = time.monotonic()
        with Memory(server) as memory:
            through_web(server, size)
        web = time.monotonic() - began
        emptied(client)
        began = time.monotonic()
        directly(client, size)
        direct = time.monotonic() - began
        emptied(client)
        ratios.append(direct / web)
        growths.append(memory.growth)
        speeds = f"{size / MIB / web:.0f} | {size / MIB / direct:.0f}"
        print(f"| {number} | {speeds} | {direct / web:.2f} | {memory.growth / MIB:.1f} |", flush=True)
    print(
        f"median ratio {median(ratios):.2f}, largest growth {max(growths) / MIB:.1f} MiB (bound: {MAX_GROWTH // MIB})"
    )
    return max(growths) < MAX_GROWTH


def main() -> None:
    """Start the real servers in a temporary folder, measure, and fail when the memory bound is broken."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gib", type=float, default=2, help="size of the upload (default %(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="uploads of each kind (default %(default)s)")
    options = parser.parse_args()
    with web_over_minio(BUCKET) as (web, minio):
        client = Minio(minio.endpoint, MINIO_USER, MINIO_PASSWORD, secure=False)
        within = measure(web, client, int(options.gib * 1024 * MIB), options.rounds)
    sys.exit(0 if within else "the web process grew beyond its bound")


if __name__ == "__main__":
    main()
