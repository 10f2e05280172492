"""What follows from looks at the record: when killed work went on, and what was done twice."""

from __future__ import annotations

import pytest

from tests.chaos.faults import Kind
from tests.chaos.work import Blow, Held, Sample, recoveries, repeated

JOB = "0f"
PIECE = (JOB, "segment:1")
FIRST, SECOND = Held(PIECE, "host_11_aa"), Held(PIECE, "host_22_bb")


def sample(at: float, *held: Held, queued: bool = False, done: bool = False, finished: bool = False) -> Sample:
    """Return one look at the one job."""
    return Sample(
        at=at,
        unfinished=frozenset() if finished else frozenset({JOB}),
        held=frozenset(held),
        done=frozenset({PIECE}) if done else frozenset(),
        queued=frozenset({PIECE}) if queued else frozenset(),
    )


def kill(at: float = 2.0, kind: Kind = Kind.ENCODER) -> Blow:
    """Return a blow at whoever makes the first attempt."""
    return Blow(at, kind, "encode1", frozenset({FIRST}))


def test_an_attempt_names_its_process() -> None:
    """The watcher finds out what a victim held by the id in the name; host names may hold underscores."""
    assert Held(PIECE, "my_host_4711_ab12").pid == 4711
    present = sample(1, FIRST, SECOND)
    assert present.held_by({22}) == {SECOND}
    assert sample(1, FIRST, done=True).held_by({11}) == frozenset()


def test_work_goes_on_when_it_is_queued_and_when_it_is_taken() -> None:
    """The dead attempt's own lease, which still stands in the record, is no sign of life."""
    seen = [sample(1, FIRST), sample(3, FIRST), sample(6, FIRST, queued=True), sample(8, SECOND)]
    (found,) = recoveries([kill()], seen)
    assert (found.offered, found.resumed, found.disturbed) == (4.0, 6.0, False)


@pytest.mark.parametrize("after", [sample(5, done=True), sample(5, finished=True)])
def test_finished_work_has_gone_on(after: Sample) -> None:
    """Whoever finished it between two looks."""
    (found,) = recoveries([kill()], [sample(1, FIRST), sample(3, FIRST), after])
    assert found.resumed == 3.0


def test_work_that_never_goes_on_is_told() -> None:
    """No time is made up for it."""
    (found,) = recoveries([kill()], [sample(1, FIRST), sample(9, FIRST)])
    assert (found.offered, found.resumed) == (None, None)


def test_another_fault_meanwhile_is_told() -> None:
    """A frozen Redis that lasts into it counts, a cut connection and what comes later do not."""
    seen = [sample(1, FIRST), sample(8, SECOND)]
    frozen = Blow(0.5, Kind.REDIS_FROZEN, "redis", frozenset(), seconds=4.0)
    cut = Blow(3.0, Kind.CUT_MINIO, "minio", frozenset())
    later = Blow(9.0, Kind.REDIS, "redis", frozenset())
    disturbed = {blow.kind: recoveries([kill(), blow], seen)[0].disturbed for blow in (frozen, cut, later)}
    assert disturbed == {Kind.REDIS_FROZEN: True, Kind.CUT_MINIO: False, Kind.REDIS: False}


def test_what_was_done_twice_ends_with_the_kill() -> None:
    """The lease outlives its attempt; only the time until the kill was work."""
    seen = [sample(1, FIRST), sample(4, FIRST), sample(7, SECOND), sample(9, done=True)]
    (lost,) = repeated([kill(at=3.0)], seen)
    assert (lost.held, lost.seconds, lost.cause) == (FIRST, 2.0, kill(at=3.0))


def test_work_repeated_without_a_fault_has_no_cause() -> None:
    """A blow at somebody else explains nothing."""
    seen = [sample(1, FIRST), sample(4, FIRST), sample(5, SECOND)]
    other = Blow(2.0, Kind.ENCODER, "encode2", frozenset({SECOND}))
    (lost,) = repeated([other], seen)
    assert (lost.seconds, lost.cause) == (3.0, None)


def test_a_blow_at_a_process_does_not_explain_what_it_gave_up_before() -> None:
    """Its attempt waited for a store that was away; the blow seconds later hit another one."""
    seen = [sample(1, FIRST), sample(4, FIRST), sample(5), sample(9, SECOND)]
    later = Blow(7.0, Kind.ENCODER, "encode1", frozenset(), pids=frozenset({FIRST.pid}))
    assert [lost.cause for lost in repeated([later], seen)] == [None]


def test_what_was_taken_while_nobody_could_look_is_known_by_its_process() -> None:
    """A blow during an outage of Redis: the dead process's lease is seen afterwards."""
    blow = Blow(2.0, Kind.ENCODER, "encode1", frozenset(), pids=frozenset({11}))
    seen = [sample(1), sample(4, FIRST), sample(9, SECOND)]
    assert [found.resumed for found in recoveries([blow], seen)] == [7.0]
    assert [lost.cause for lost in repeated([blow], seen)] == [blow]


def test_one_attempt_is_no_repetition() -> None:
    """However often it was seen."""
    assert repeated([kill()], [sample(1, FIRST), sample(2, FIRST), sample(3, done=True)]) == ()


def test_early_work_need_not_go_on() -> None:
    """Nobody waits for it: what is lost of it is done later, when the upload is whole."""
    early = Held((JOB, "early-segment:1"), "host_11_aa")
    blow = Blow(2.0, Kind.ENCODER, "encode1", frozenset({early, FIRST}))
    assert [one.held for one in recoveries([blow], [sample(1, early, FIRST), sample(9, early, FIRST)])] == [FIRST]
