"""The relay between a tool and a store on another machine: real ffprobe and HTTP, a store that breaks off."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import urllib3
from hypothesis import given
from hypothesis import strategies as st

from storage.errors import ObjectNotFoundError, ObjectStoreDownError
from storage.media_errors import NotMediaError
from storage.objects import keys
from storage.objects.local import LocalObjectStore
from tests.support.waiting import wait_until
from workers.planning.probe import list_packets, probe
from workers.sandbox import relay as relay_module
from workers.sandbox.relay import READERS, Relay, asked_range, blanked, kept, places
from workers.sandbox.run import Watch

KEY = keys.original("0f")
DATA = bytes(range(250)) * 40


class Shaky(LocalObjectStore):
    """A store each of whose reads breaks off after so many bytes; `away` breaks all of them off at once."""

    def __init__(self, root: Path, *, after: int) -> None:
        super().__init__(root)
        self.prepare()
        self.reads = 0
        self.away = False
        self._after = after

    def read(self, key: str, *, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        """See ObjectStore.read."""
        self.reads += 1
        whole = b"".join(super().read(key, start=start, length=length))
        return self._broken(whole)

    def _broken(self, whole: bytes) -> Iterator[bytes]:
        if not self.away:
            yield whole[: self._after]
            if len(whole) <= self._after:
                return
        raise ObjectStoreDownError(detail="The object store does not answer.")


@pytest.fixture
def store(tmp_path: Path) -> Shaky:
    """Give a shaky store with one object."""
    store = Shaky(tmp_path / "objects", after=1000)
    store.put_bytes(KEY, DATA, content_type="video/mp4")
    return store


def get(url: str, asked: str = "bytes=0-") -> urllib3.BaseHTTPResponse:
    """Ask as ffmpeg does."""
    return urllib3.request("GET", url, headers={"Range": asked}, timeout=10, retries=False)


def test_a_read_goes_on_where_it_broke_off(store: Shaky) -> None:
    """The reader sees one answer, whole; the store was asked ten times."""
    with Relay(store, KEY) as relay:
        answer = get(relay.url)
        relay.check(failed=False)
    assert (answer.status, answer.data, store.reads) == (206, DATA, 10)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [("bytes=9990-", DATA[9990:]), ("bytes=2-4", DATA[2:5]), ("bytes=5-999999", DATA[5:]), ("", DATA)],
)
def test_readers_seek(store: Shaky, asked: str, expected: bytes) -> None:
    """Any part of the object, with what it is of the whole."""
    with Relay(store, KEY) as relay:
        answer = get(relay.url, asked)
    assert answer.data == expected
    begin, end = asked_range(asked, len(DATA))
    assert answer.headers["Content-Range"] == f"bytes {begin}-{end - 1}/{len(DATA)}"


def test_what_lies_beyond_the_end_is_refused(store: Shaky) -> None:
    """And so is whoever does not know the address."""
    with Relay(store, KEY) as relay:
        assert get(relay.url, f"bytes={len(DATA)}-").status == 416
        assert get(relay.url + "0").status == 404


@given(st.integers(0, 60), st.lists(st.integers(0, 80), max_size=8), st.integers(0, 70), st.integers(0, 70))
def test_spans_are_left_out(size: int, edges: list[int], start: int, end: int) -> None:
    """Any part of what is left is found in the object; spans may reach beyond its end."""
    edges = sorted(edges)
    without = tuple(zip(edges[::2], edges[1::2], strict=False))
    data = bytes(range(size))
    left = bytes(byte for byte in data if not any(first <= byte < last for first, last in without))
    found = [data[first:last] for first, last in places(start, end, kept(size, without))]
    assert b"".join(found) == left[start:end]


def test_readers_see_nothing_of_what_is_left_out(store: Shaky) -> None:
    """The file is shorter, and is read through breaks and over the gaps."""
    with Relay(store, KEY, ((0, 7), (2000, 5000), (9999, 10_000))) as relay:
        answers = [get(relay.url, asked).data for asked in ("", "bytes=1990-1995", "bytes=6988-")]
        assert relay.size == len(DATA) - 3008
    assert answers[0] == DATA[7:2000] + DATA[5000:9999]
    assert answers[1:] == [DATA[1997:2000] + DATA[5000:5003], DATA[9995:9999]]


@given(size=st.integers(0, 40), edges=st.lists(st.integers(0, 50), max_size=6), cut=st.integers(0, 40))
def test_blank_spans_are_zeros(size: int, edges: list[int], cut: int) -> None:
    """In whatever pieces the object is read, and in whatever order the spans are told; nothing moves."""
    spans = tuple((min(pair), max(pair)) for pair in zip(edges[::2], edges[1::2], strict=False))
    data = bytes(range(1, size + 1))
    seen = bytes(0 if any(first <= at < last for first, last in spans) else byte for at, byte in enumerate(data))
    assert blanked(data[:cut], 0, spans) + blanked(data[cut:], cut, spans) == seen


def test_readers_see_zeros_in_place_of_what_is_blank(store: Shaky) -> None:
    """The spans are the object's own, also where it is read without others."""
    with Relay(store, KEY, ((0, 7),), ((1990, 1992), (5, 9))) as relay:
        answers = [get(relay.url, asked).data for asked in ("bytes=0-3", "bytes=1982-1985")]
    assert answers == [b"\0\0" + DATA[9:11], DATA[1989:1990] + b"\0\0" + DATA[1992:1993]]


def test_a_store_that_stays_away_is_told(store: Shaky) -> None:
    """The reader's answer ends early; who used the tool learns why, whatever the tool made of it."""
    with Relay(store, KEY) as relay:
        store.away = True
        with pytest.raises(urllib3.exceptions.HTTPError):
            get(relay.url)
        with pytest.raises(ObjectStoreDownError):
            relay.check(failed=False)


def test_an_object_that_is_not_there_is_told_before_the_tool_runs(store: Shaky) -> None:
    """A missing original is not a damaged one."""
    with pytest.raises(ObjectNotFoundError), Relay(store, keys.original("1e")):
        pass


def test_a_tool_that_gave_up_waiting_has_seen_nothing(store: Shaky, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader that failed after the store kept it waiting is not believed; one that succeeded is."""
    monkeypatch.setattr(relay_module, "AWAY_SECONDS", 0.0)
    with Relay(store, KEY) as relay:
        get(relay.url)
        relay.check(failed=False)
        with pytest.raises(ObjectStoreDownError):
            relay.check(failed=True)


def test_a_probe_sees_the_whole_file_through_breaks(clip: Callable[..., Path], tmp_path: Path) -> None:
    """Every packet of a file whose reads break off again and again, by the real ffprobe."""
    source = clip("relayed.mp4", seconds=4)
    store = Shaky(tmp_path / "objects", after=20_000)
    store.put_file(KEY, source, content_type="video/mp4")
    with Relay(store, KEY) as relay:
        facts = probe(relay.url, Watch())
        times = list_packets(relay.url, Watch()).pictures(facts.streams[0])
        relay.check(failed=False)
    assert facts.container.startswith("mov")
    assert len(times.times) == 120
    assert store.reads > source.stat().st_size // 20_000


def test_a_probe_without_a_store_is_the_stores_failure(clip: Callable[..., Path], tmp_path: Path) -> None:
    """Ffprobe finds no video; the relay knows better."""
    store = Shaky(tmp_path / "objects", after=20_000)
    store.put_file(KEY, clip("relayed.mp4", seconds=4), content_type="video/mp4")
    with Relay(store, KEY) as relay:
        store.away = True
        with pytest.raises(NotMediaError):
            probe(relay.url, Watch())
        with pytest.raises(ObjectStoreDownError):
            relay.check(failed=True)


class Crowded(LocalObjectStore):
    """A store whose reads last until they may go on; `most` is how many there were at once."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.prepare()
        self.go_on = threading.Event()
        self.active = self.most = 0
        self._lock = threading.Lock()

    def read(self, key: str, *, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        """See ObjectStore.read."""
        self._count(1)
        assert self.go_on.wait(20)
        yield from super().read(key, start=start, length=length)
        self._count(-1)

    def _count(self, more: int) -> None:
        with self._lock:
            self.active += more
            self.most = max(self.most, self.active)


def test_only_so_many_reads_go_to_the_store_at_once(tmp_path: Path) -> None:
    """A tool that asks for more waits until one has ended, and is given everything."""
    store = Crowded(tmp_path / "objects")
    store.put_bytes(KEY, DATA, content_type="video/mp4")
    with Relay(store, KEY) as relay, ThreadPoolExecutor(READERS + 4) as pool:
        answers = [pool.submit(get, relay.url) for _ in range(READERS + 4)]
        wait_until(lambda: store.active == READERS, what="as many reads as there may be")
        store.go_on.set()
        assert [answer.result().data for answer in answers] == [DATA] * len(answers)
    assert store.most == READERS
