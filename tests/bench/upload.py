"""Throughput and memory of 2 GiB through the web service into MinIO, beside direct puts by minio-py.

    .venv/bin/python tests/bench/upload.py [--gib 2] [--rounds 3]

By form, by tus, and by tus in twenty uploads at once, each beside as many direct puts: the same bytes, made on the fly,
into the same MinIO, in turns.
"""

from __future__ import annotations

import argparse
import http.client
import io
import random
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import product
from pathlib import Path
from statistics import median
from typing import BinaryIO, Self, cast
from uuid import uuid4

sys.path.insert(0, str(Path(__file__).parents[2]))  # run as a script

from minio import Minio
from minio.deleteobjects import DeleteObject

from storage.objects.contract import PART_BYTES
from tests.bench.service import web_over_minio
from tests.support.servers import MINIO_PASSWORD, MINIO_USER
from tests.support.tus_client import OFFSET_TYPE, TUS, create_upload
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
MAX_GROWTH = 64 * MIB  # of one upload
AT_ONCE = 20
LEAST_RATIO = 0.8
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


def by_form(server: WebServer, size: int) -> None:
    """Post the bytes as a form, as a browser without JavaScript does."""
    headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    _ask(server, "POST", "/api/jobs", _form(size), len(HEAD) + size + len(TAIL), headers)


def by_tus(server: WebServer, size: int) -> None:
    """Create an upload and send the bytes in one request."""
    place = create_upload(server, size)
    headers = {**TUS, "Content-Type": OFFSET_TYPE, "Upload-Offset": "0"}
    _ask(server, "PATCH", place, _blocks(size), size, headers)


def _ask(
    server: WebServer, method: str, path: str, body: Iterator[bytes], length: int, headers: Mapping[str, str]
) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=ANSWER_SECONDS)
    connection.request(method, path, body=body, headers={**headers, "Content-Length": str(length)})
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    if answer.status not in {http.HTTPStatus.ACCEPTED, http.HTTPStatus.NO_CONTENT}:
        sys.exit(f"the upload was answered with {answer.status}: {text}")


def _blocks(size: int) -> Iterator[bytes]:
    blocks = Blocks(size)
    while data := blocks.read(MIB):
        yield data


def _form(size: int) -> Iterator[bytes]:
    yield HEAD
    yield from _blocks(size)
    yield TAIL


def directly(client: Minio, size: int) -> None:
    """Put the bytes with minio-py as its documentation shows it."""
    client.put_object(BUCKET, f"direct-{uuid4()}", cast("BinaryIO", Blocks(size)), length=size)  # it is only read


def emptied(client: Minio) -> None:
    """Remove every object: a round must not fill the disk of the next."""
    names = (DeleteObject(found.object_name) for found in client.list_objects(BUCKET, recursive=True))
    if errors := list(client.remove_objects(BUCKET, names)):
        sys.exit(f"could not empty the bucket: {errors[0]}")


@dataclass(frozen=True, slots=True)
class Door:
    """One way in: so many uploads `at_once`, and by how much the web service may grow, in bytes."""

    name: str
    send: Callable[[int], None]
    at_once: int = 1

    @property
    def bound(self) -> int:
        """What the web process may grow by: two parts for each upload, and what threads and sockets take."""
        return MAX_GROWTH + (self.at_once - 1) * 2 * PART_BYTES

    def seconds(self, size: int) -> float:
        """Return how long all bytes take, shared among the uploads."""
        began = time.monotonic()
        with ThreadPoolExecutor(self.at_once) as pool:
            list(pool.map(self.send, [size // self.at_once] * self.at_once))
        return time.monotonic() - began


def measure(server: WebServer, client: Minio, size: int, rounds: int) -> bool:
    """Print a line for each door and round, and the medians; tell whether speed and memory are within their bounds."""
    doors = [
        Door("form", partial(by_form, server)),
        Door("tus", partial(by_tus, server)),
        Door(f"tus, {AT_ONCE} at once", partial(by_tus, server), AT_ONCE),
    ]
    print("| door | round | MiB/s | direct MiB/s | door / direct | growth of the web process, MiB |")
    print("|---|---|---|---|---|---|")
    ratios: dict[str, list[float]] = {door.name: [] for door in doors}
    within = True
    for number, door in product(range(1, rounds + 1), doors):
        with Memory(server) as memory:
            took = door.seconds(size)
        emptied(client)
        direct = replace(door, send=partial(directly, client)).seconds(size)
        emptied(client)
        ratios[door.name].append(direct / took)
        within &= memory.growth < door.bound
        speeds = f"{size / MIB / took:.0f} | {size / MIB / direct:.0f} | {direct / took:.2f}"
        print(f"| {door.name} | {number} | {speeds} | {memory.growth / MIB:.1f} |", flush=True)
    for name, found in ratios.items():
        print(f"{name}: median ratio {median(found):.2f} (wanted: {LEAST_RATIO})")
    return within and all(median(found) >= LEAST_RATIO for found in ratios.values())


def main() -> None:
    """Start the real servers in a temporary folder, measure, and fail when a bound is broken."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gib", type=float, default=2, help="size of the upload (default %(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="uploads of each kind (default %(default)s)")
    options = parser.parse_args()
    with web_over_minio(BUCKET, ADDRESS_SHARE="100") as (web, minio):
        client = Minio(minio.endpoint, MINIO_USER, MINIO_PASSWORD, secure=False)
        within = measure(web, client, int(options.gib * 1024 * MIB), options.rounds)
    sys.exit(0 if within else "an upload was too slow, or the web process grew too much")


if __name__ == "__main__":
    main()
