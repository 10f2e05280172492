"""What the benches of crowds conclude from what they saw."""

from __future__ import annotations

import random

import pytest

from tests.bench.crowd import Kind, Tried, steadily, within
from tests.bench.watchers import Stream
from tests.support.streams import Sent


def shown(state: str, place: int | None) -> Sent:
    """Return an event of a job."""
    return Sent("job", {"job": {"state": state, "queue_position": place}}, None)


def test_so_many_clients_come_within_the_time() -> None:
    """A crowd of a given size is exact, that of a rate is so on average; both come in order."""
    crowd, rate = list(within(100, 5.0, random.Random(1))), list(steadily(20.0, 5.0, random.Random(1)))
    assert len(crowd) == 100
    assert 70 < len(rate) < 130
    for arrivals in (crowd, rate):
        assert arrivals == sorted(arrivals)
        assert 0 <= arrivals[0] < arrivals[-1] < 5.0


@pytest.mark.parametrize(
    ("status", "retry_after", "clear"), [(202, 0, True), (503, 5, True), (429, 5, True), (503, 0, False), (0, 0, False)]
)
def test_an_answer_takes_or_tells_a_time(status: int, retry_after: int, *, clear: bool) -> None:
    """All else leaves the client alone: a refusal without a time, and a connection that broke."""
    assert Tried(Kind.TURN, 1, at=0.0, status=status, retry_after=retry_after).clear is clear


def test_a_stream_may_end_with_its_job_only() -> None:
    """Whatever else ends it is named."""
    over, early, cut, deleted = (Stream(f"{number}", "127.3.0.1") for number in range(4))
    for stream in (over, early, cut):
        stream.take(shown("queued", 7))
    assert early.position == 7
    over.take(shown("ready", None))
    deleted.take(Sent("deleted", {"job": None}, None))
    for stream in (over, early, deleted):
        stream.close("")
    cut.close("ConnectionResetError: ")
    assert [stream.trouble for stream in (over, early, cut, deleted)] == [
        "",
        "ended before its job",
        "ConnectionResetError: ",
        "",
    ]


def test_a_silence_lasts_until_something_is_said() -> None:
    """That of a stream which says nothing any more goes on; that of one whose job ended does not."""
    stream = Stream("0", "127.3.0.1", state="ready", said=[1.0, 3.0])
    assert stream.silences(10.0) == [2.0, 7.0]
    stream.close("")
    assert stream.silences(10.0) == [2.0]
