"""An upload that is still coming as tools see it: the file's bytes or none, however and whenever they arrive."""

from __future__ import annotations

import random
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest
import urllib3
from hypothesis import given
from hypothesis import strategies as st

from storage.errors import ToolTimeoutError, UploadPausedError
from storage.model.early import HandedIndex
from storage.model.upload import Upload
from storage.objects import keys
from storage.objects.contract import ObjectInfo
from storage.services import Services
from storage.services.arriving import ArrivingUpload
from storage.services.upload_index import index_of, store_index
from storage.services.uploads import complete, remove_upload
from storage.upload_errors import UploadNotFoundError
from tests.support.uploads import PART, begun
from tests.support.waiting import wait_until
from workers.sandbox import arriving_view
from workers.sandbox import relay as relay_module
from workers.sandbox.arriving_view import GuessingView, WaitingView, Where, next_piece
from workers.sandbox.reach import reach_of
from workers.sandbox.relay import READERS, Relay
from workers.sandbox.run import ToolLimits, Watch, run_tool

DATA = random.Random(3).randbytes(500_000)
INDEX_BEGIN, INDEX_END = 400_000, 450_000


class Scripted:
    """An Arriving that has a little more of some data each time it is asked; `came` are these steps."""

    def __init__(self, data: bytes, came: list[int]) -> None:
        self.data = data
        self._came = came
        self._size = 0

    def arrived(self) -> int:
        """See Arriving.arrived."""
        self._size = min(len(self.data), self._size + (self._came.pop() if self._came else 1))
        return self._size

    def read(self, start: int, end: int) -> Iterator[bytes]:
        """See Arriving.read: in two pieces, and nothing of what has not come."""
        assert end <= self._size
        middle = (start + end + 1) // 2
        yield self.data[start:middle]
        if middle < end:
            yield self.data[middle:end]


@given(st.integers(0, 30), st.integers(0, 30), st.tuples(st.integers(0, 30), st.integers(1, 9)), st.integers(0, 29))
def test_where_a_byte_is(arrived: int, length: int, index: tuple[int, int], start: int) -> None:
    """All bytes of a piece are in one place, and the next one is not, or not asked for."""
    ahead = HandedIndex("", *index, "")

    def where(byte: int) -> Where:
        if byte < arrived:
            return Where.COME
        return Where.AHEAD if ahead.begin <= byte < ahead.end else Where.MISSING

    end = start + length + 1
    found, until = next_piece(start, end, arrived, ahead)
    assert start < until <= end
    assert {where(byte) for byte in range(start, until)} == {found}
    assert until == end or where(until) is not found


@given(
    size=st.integers(1, 400),
    came=st.lists(st.integers(0, 90)),
    index=st.tuples(st.integers(0, 399), st.integers(1, 200)),
    asked=st.lists(st.tuples(st.integers(0, 400), st.integers(1, 400)), min_size=1, max_size=4),
)
def test_what_is_read_is_the_files(
    size: int, came: list[int], index: tuple[int, int], asked: list[tuple[int, int]]
) -> None:
    """In whatever steps it arrives, whatever is asked for, with its index; and of a guess all that is real."""
    data = random.Random(size).randbytes(size).replace(b"\0", b"\1")
    begin, end = min(index[0], size - 1), min(size, sum(index))
    ahead = HandedIndex("index", begin, end - begin, "")

    class Stored:
        """A store that has the index alone."""

        def stat(self, key: str) -> ObjectInfo:
            raise NotImplementedError

        def read(self, key: str, *, start: int = 0, length: int | None = None) -> Iterator[bytes]:
            assert (key, length) == ("index", length)
            yield data[begin:end][start : start + (length or 0)]

    waiting = WaitingView(Stored(), Scripted(data, list(came)), size, ahead)
    guess = GuessingView(Stored(), Scripted(data, list(came)), size, ahead)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(arriving_view, "POLL_SECONDS", 0.0)
        for start, length in asked:
            wanted = data[start : start + length]
            assert b"".join(waiting.read("", start=start, length=length)) == wanted
            seen = b"".join(guess.read("", start=start, length=length))
            real = [at < guess.arrived or begin <= at < end for at in range(start, min(size, start + length))]
            assert seen == bytes(byte * there for byte, there in zip(wanted, real, strict=True))


@pytest.fixture
def upload(own_services: Services) -> Upload:
    """Give an upload of which the first 100,000 bytes have come, and its index."""
    made = begun(own_services, DATA[:100_000], length=len(DATA))
    store_index(
        own_services.objects,
        made.id,
        lambda _: DATA[INDEX_BEGIN:INDEX_END],
        begin=INDEX_BEGIN,
        size=INDEX_END - INDEX_BEGIN,
    )
    return made


@pytest.fixture
def view(own_services: Services, upload: Upload) -> WaitingView:
    """Give the view of that upload."""
    objects = own_services.objects
    return WaitingView(objects, ArrivingUpload(objects, upload), len(DATA), index_of(objects, upload.id))


def send(services: Services, upload: Upload, data: bytes) -> None:
    """Write more of the upload."""
    with services.objects.incoming.go_on(
        upload.id, part_bytes=PART, may_go_on=lambda: None, may_keep=lambda: True
    ) as writer:
        writer.write(data)


def get(relay: Relay, start: int, end: int) -> bytes:
    """Ask a relay for these bytes."""
    headers = {"Range": f"bytes={start}-{end - 1}"}
    return urllib3.request("GET", relay.url, headers=headers, timeout=20, retries=False).data


def test_a_blocked_reader_goes_on_when_bytes_come(own_services: Services, upload: Upload, view: WaitingView) -> None:
    """In the middle of one answer; what is there is not waited for."""
    with Relay(view, keys.original(upload.id)) as relay, ThreadPoolExecutor(1) as pool:
        assert get(relay, 10, 50_000) == DATA[10:50_000]
        assert get(relay, INDEX_BEGIN, INDEX_END) == DATA[INDEX_BEGIN:INDEX_END]
        blocked = pool.submit(get, relay, 90_000, len(DATA))
        for begin, end in ((100_000, 100_001), (100_001, 300_000), (300_000, len(DATA))):
            assert not blocked.done()
            send(own_services, upload, DATA[begin:end])
        complete(own_services, upload)
        assert blocked.result() == DATA[90_000:]
        assert get(relay, INDEX_BEGIN - 5, INDEX_END + 5) == DATA[INDEX_BEGIN - 5 : INDEX_END + 5]
        relay.check(failed=False)


def test_a_reader_gives_up_when_the_upload_ends(own_services: Services, upload: Upload, view: WaitingView) -> None:
    """Whoever used the tool learns why."""
    with Relay(view, keys.original(upload.id)) as relay, ThreadPoolExecutor(1) as pool:
        blocked = pool.submit(get, relay, 90_000, len(DATA))
        remove_upload(own_services, upload.id)
        with pytest.raises(urllib3.exceptions.HTTPError):
            blocked.result()
        with pytest.raises(UploadNotFoundError):
            relay.check(failed=False)


def test_a_tool_that_waited_in_vain_is_given_back(view: WaitingView, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its own time limit ends it; what it did not need to have makes no failure of one that succeeded."""
    monkeypatch.setattr(relay_module, "AWAY_SECONDS", 0.5)
    with Relay(view, "film", away=UploadPausedError) as relay:
        with pytest.raises(ToolTimeoutError):
            run_tool(
                ["ffprobe", "-v", "error", "-f", "rawvideo", "-video_size", "64x64", "-show_packets", relay.url],
                ToolLimits(10, 2),
                watch=Watch(),
                reach=reach_of(relay.url),
            )
        relay.check(failed=False)
        with pytest.raises(UploadPausedError):
            relay.check(failed=True)


def test_who_hangs_up_waits_no_longer(view: WaitingView) -> None:
    """A tool that seeks leaves many answers behind; each would keep others from the store."""
    with Relay(view, "film") as relay:
        address = urlsplit(relay.url)
        for _ in range(2 * READERS):
            with socket.create_connection((address.hostname or "", address.port or 0)) as connection:
                connection.sendall(f"GET {address.path} HTTP/1.1\r\nRange: bytes=99999-\r\n\r\n".encode())
                assert connection.recv(1)
        assert get(relay, 10, 50_000) == DATA[10:50_000]


def test_nobody_waits_when_the_relay_is_closed(view: WaitingView) -> None:
    """Threads that ask the store for ever would be left behind by every task."""
    before = threading.active_count()
    with Relay(view, "film") as relay:
        address = urlsplit(relay.url)
        connection = socket.create_connection((address.hostname or "", address.port or 0))
        connection.sendall(f"GET {address.path} HTTP/1.1\r\nRange: bytes=99999-\r\n\r\n".encode())
        assert connection.recv(1)
        assert threading.active_count() > before
    wait_until(lambda: threading.active_count() <= before, what="the end of all threads")
    connection.close()


def test_a_guess_does_not_change(own_services: Services, upload: Upload) -> None:
    """What comes later is not looked at: a plan is made from one file."""
    index = index_of(own_services.objects, upload.id)
    guess = GuessingView(own_services.objects, ArrivingUpload(own_services.objects, upload), len(DATA), index)
    seen = DATA[:100_000] + bytes(INDEX_BEGIN - 100_000) + DATA[INDEX_BEGIN:INDEX_END] + bytes(len(DATA) - INDEX_END)
    for _ in range(2):
        with Relay(guess, "film") as relay:
            assert relay.size == len(DATA)
            assert get(relay, 0, len(DATA)) == seen
        send(own_services, upload, DATA[100_000:200_000])
