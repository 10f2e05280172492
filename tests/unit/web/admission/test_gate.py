"""The gate holds places for uploads, and room for those whom it told to come back."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field, replace
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.errors import (
    AddressShareError,
    DrainingError,
    OwnerShareError,
    QueueFullError,
    StorageFullError,
    TooManyUploadsError,
)
from storage.model.upload import MOVING_SECONDS, OpenUpload
from storage.objects.contract import PART_BYTES
from web.admission.decision import LEARNED_SECONDS, PROMISED_SHARE, TURNS_AN_UPLOAD, Limits, QueueState
from web.admission.elsewhere import Elsewhere
from web.admission.gate import Gate
from web.admission.turns import AGAIN_SECONDS, KEPT, TURNS_A_KEY, Turns, grace
from web.upload.limits import OVERHEAD_BYTES

LIMITS = Limits(uploads=2, upload_bytes=1000, pending_bytes=1500, reserve=500, wait=60.0, owner_jobs=3)
FULL = QueueState(wait=70.0, per_byte=0.01)


@dataclass
class Clock:
    """A clock that a test sets."""

    now: float = 100.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


@dataclass
class Encoders:
    """A queue whose work gets less by a second a second; a byte is a second of work, and clients come one by one."""

    limit: float = 60.0
    clock: Clock = field(default_factory=Clock)
    wait: float = 0.0

    def __post_init__(self) -> None:
        self.gate = Gate(replace(LIMITS, wait=self.limit), self.clock)

    def pass_to(self, now: float) -> None:
        """Let time pass."""
        self.wait = max(0.0, self.wait - (now - self.clock.now))
        self.clock.now = now

    def upload(self, size: int, client: str, token: str = "") -> QueueFullError | None:
        """Return why it is refused; None if it is a job now."""
        try:
            with self.gate.enter(size, None, QueueState(wait=self.wait, per_byte=1.0), client=client, token=token):
                self.wait += size
        except QueueFullError as error:
            return error
        return None


def refused(gate: Gate, client: str, *, size: int = 500, token: str = "", queue: QueueState = FULL) -> QueueFullError:
    """Let a client ask; return the refusal."""
    with pytest.raises(QueueFullError) as caught, gate.enter(size, None, queue, client=client, token=token):
        pass
    return caught.value


def test_the_gate_counts_places_and_promises() -> None:
    """A place is held for the time of the upload, and what arrived is no longer promised."""
    gate = Gate(LIMITS)
    with gate.enter(800, free=1300) as ticket:
        assert gate.active == 1
        with pytest.raises(StorageFullError), gate.enter(100, free=1300):
            pass
        ticket.received(900)
        with gate.enter(100, free=1300), pytest.raises(TooManyUploadsError), gate.enter(1, free=1300):
            pass
    assert gate.active == 0


def test_a_failed_upload_gives_its_place_back() -> None:
    """The place is free again after an error."""
    gate = Gate(LIMITS)
    with pytest.raises(ValueError, match="broken"), gate.enter(1, free=None):
        raise ValueError("broken")
    assert gate.active == 0


def test_uploads_under_way_are_work_too() -> None:
    """They are in nobody's queue yet, and will be; what has arrived of them counts as what is to come."""
    gate, queue = Gate(LIMITS), QueueState(wait=55.0, per_byte=0.01)
    with gate.enter(600, None, queue) as ticket:
        ticket.received(500)
        assert isinstance(gate.state(None, queue), QueueFullError)
    assert gate.state(None, queue) is None


def test_the_first_upload_to_end_makes_room() -> None:
    """By its speed until now."""
    clock = Clock()
    gate = Gate(LIMITS, clock)
    with gate.enter(800, None) as ticket, gate.enter(100, None):
        clock.now += 10
        ticket.received(200)
        with pytest.raises(TooManyUploadsError) as caught, gate.enter(1, None):
            pass
    assert caught.value.retry_after == 30


def test_what_landed_counts_until_the_queue_was_read_again() -> None:
    """A reading from before an upload became a job does not know of it."""
    clock = Clock()
    gate = Gate(LIMITS, clock)
    old, new = (QueueState(wait=55.0, per_byte=0.01, read_at=at) for at in (99.0, 101.0))
    with gate.enter(600, None, old):
        pass
    assert isinstance(gate.state(None, old), QueueFullError)
    assert gate.state(None, new) is None


def test_before_anything_is_measured_little_is_taken() -> None:
    """What was accepted may cost more than it seems, which is known soon; what is still being sent tells nothing."""
    gate, doubtful = Gate(LIMITS), QueueState(wait=21.0, per_byte=0.01, doubt=3.0)
    assert refused(gate, "a", queue=doubtful).retry_after == LEARNED_SECONDS
    with gate.enter(900, None, replace(doubtful, wait=10.0)), gate.enter(500, None, replace(doubtful, wait=15.0)):
        pass


def test_those_who_are_refused_come_back_one_after_another() -> None:
    """Each has room for its work; who asks again too early is told of its own turn; old turns are forgotten."""
    clock = Clock()
    gate = Gate(LIMITS, clock)
    told = {name: refused(gate, name) for name in ("a", "b", "c")}
    assert [told[name].retry_after for name in ("a", "b", "c")] == [10, 16, 21]
    clock.now += AGAIN_SECONDS
    assert [refused(gate, name).retry_after for name in ("c", "a", "b")] == [18, 7, 13]
    clock.now += 5 * AGAIN_SECONDS
    again = refused(gate, "c", token=str(told["c"].turn), queue=replace(FULL, wait=61.0))
    assert (again.retry_after, again.turn) == (3, told["c"].turn)
    clock.now += 21 + grace(60.0)
    assert refused(gate, "d").retry_after == 10
    assert gate.turns == 1


def test_a_token_is_good_for_its_client_alone() -> None:
    """It is as long as nobody can guess, and taken with a body of the size it was given for, wherever it comes from."""
    clock = Clock()
    gate = Gate(replace(LIMITS, upload_bytes=10**6), clock)
    token = str(refused(gate, "a").turn)
    assert len(token) > 20
    clock.now += 10
    waits = replace(FULL, wait=60.0)
    assert refused(gate, "b", token="guessed", queue=waits).turn != token
    assert refused(gate, "b", size=501 + OVERHEAD_BYTES, token=token, queue=waits).turn != token
    with gate.enter(500 + OVERHEAD_BYTES, None, waits, client="b", token=token):
        assert gate.turns == 2


def test_clients_behind_one_address_have_turns_in_order() -> None:
    """They are told apart as long as they do not come at once; each of them is taken when it comes at its time."""
    encoders = Encoders()
    encoders.upload(80, "before them")
    told = []
    for _ in range(3):
        error = encoders.upload(5, "office")
        assert error is not None
        told.append(encoders.clock.now + error.retry_after)
        encoders.pass_to(encoders.clock.now + AGAIN_SECONDS + 0.1)
    assert len(set(told)) == 3
    for due in told:
        encoders.pass_to(due)
        assert encoders.upload(5, "office") is None
    assert encoders.gate.turns == 0


def test_nobody_gains_by_asking_again_and_again() -> None:
    """Room that others did not come for is for newcomers; a client with a turn waits for it and has one turn."""
    encoders = Encoders()
    encoders.upload(70, "before them")
    encoders.upload(20, "does not come")
    first = encoders.upload(5, "asks and asks")
    assert first is not None
    assert first.retry_after == 32
    for second in range(1, 30):
        encoders.pass_to(100.0 + second)
        again = encoders.upload(5, "asks and asks")
        assert again is not None
        assert again.retry_after == 32 - second
    assert encoders.gate.turns == 2
    encoders.pass_to(132.0)
    assert encoders.upload(5, "asks and asks") is None


def test_turns_are_bounded() -> None:
    """One address has a few, all together have a thousand; who gets none is told a time all the same."""
    clock = Clock()
    gate = Gate(replace(LIMITS, wait=1e6), clock)
    full = QueueState(wait=2e6, per_byte=0.001)
    for _ in range(2 * TURNS_A_KEY):
        clock.now += 2 * AGAIN_SECONDS
        refused(gate, "one", queue=full)
    assert gate.turns == TURNS_A_KEY
    for number in range(KEPT):
        refused(gate, f"client {number}", queue=full)
    assert gate.turns == KEPT
    late = refused(gate, "the last", queue=full)
    assert (late.turn, late.retry_after) == (None, 3600)


def test_a_turn_is_not_lost_by_another_refusal_or_a_broken_upload() -> None:
    """It moves to the time that was told instead, and comes back to who broke off."""
    clock = Clock()
    gate = Gate(LIMITS, clock)
    token = str(refused(gate, "a").turn)
    clock.now += 10
    with gate.enter(1, None), gate.enter(1, None), pytest.raises(TooManyUploadsError) as caught:  # noqa: SIM117
        with gate.enter(500, None, FULL, token=token):
            pass
    clock.now += caught.value.retry_after + grace(60.0)
    with pytest.raises(ValueError, match="broken"), gate.enter(500, None, QueueState(), token=token):
        raise ValueError("broken")
    assert gate.turns == 1
    with gate.enter(500, None, QueueState(wait=PROMISED_SHARE * 60.0), token=token):
        pass


def test_encoders_are_busy_though_nobody_comes_back() -> None:
    """Room that was kept in vain is taken by newcomers before the queue runs empty."""
    encoders = Encoders()
    waits = []
    for step in range(600):
        encoders.pass_to(100.0 + step * 0.5)
        encoders.upload(1, f"client {step}")
        waits.append(encoders.wait)
    assert min(waits[120:]) > encoders.limit - grace(encoders.limit) - 4.0
    assert max(waits) <= encoders.limit + 1.0


VISITORS = st.tuples(
    st.floats(0, 3),  # seconds after the one before it
    st.integers(1, 8),  # seconds of work
    st.sampled_from(["token", "address", "leaves", "hammers", "hammers with token"]),
)


@given(st.lists(VISITORS, min_size=30, max_size=150))
def test_who_comes_back_when_told_is_accepted(visitors: list[tuple[float, int, str]]) -> None:
    """At the first return, whatever others do, while the encoders are as fast as predicted."""
    encoders, order = Encoders(limit=30.0), count()
    events, arrives = [], 100.0
    for number, (gap, size, kind) in enumerate(visitors):
        arrives += gap
        events.append((arrives, next(order), f"client {number}", size, kind, "", 0))
    while events:
        now, _, client, size, kind, token, tries = heapq.heappop(events)
        encoders.pass_to(now)
        before = encoders.wait
        error = encoders.upload(size, client, token)
        assert error is not None or before <= encoders.limit * PROMISED_SHARE
        if error is None or kind == "leaves":
            continue
        assert tries == 0 or kind.startswith("hammers"), "refused at its time"
        after = 0.5 if kind.startswith("hammers") else error.retry_after
        token = "" if kind in {"address", "hammers"} else str(error.turn)
        if tries < 10:
            heapq.heappush(events, (now + after, next(order), client, size, kind, token, tries + 1))


def test_of_two_with_one_time_the_first_told_comes_first() -> None:
    """The tokens are random: an order by them would let the second keep the first's room from it."""
    turns = Turns(grace_seconds=10.0)
    first = turns.give("a", 1, 0.0, due=5.0, token="z")
    second = turns.give("b", 1, 0.0, due=5.0, token="y")
    third = turns.give("c", 1, 0.0, due=1.0, token="x")
    assert third is not None
    moved = turns.keep(third, 2.0, due=5.0)
    assert turns.ahead_of(first) == []
    assert turns.ahead_of(second) == [first]
    assert turns.ahead_of(moved) == [first, second]


def test_a_draining_gate_takes_nothing_new() -> None:
    """Uploads under way go on."""
    gate = Gate(LIMITS)
    draining = False
    gate.drain_when(lambda: draining)
    with gate.enter(1, None):
        draining = True
        with pytest.raises(DrainingError), gate.enter(1, None):
            pass
        assert gate.active == 1


def test_an_address_has_its_share_of_the_uploads() -> None:
    """One more of the same is told to come back; another's is taken."""
    gate = Gate(replace(LIMITS, uploads=4, address_share=25))
    with gate.enter(1, None, client="greedy"):
        with pytest.raises(AddressShareError), gate.enter(1, None, client="greedy"):
            pass
        with gate.enter(1, None, client="other"):
            assert gate.active == 2
    with gate.enter(1, None, client="greedy"):
        assert gate.active == 1


def test_hoarded_turns_keep_a_share_of_the_room() -> None:
    """Hundreds of heads without a body, of many sizes: few turns, and while nobody comes for them others are taken."""
    clock = Clock()
    gate = Gate(replace(LIMITS, uploads=8, address_share=25), clock)
    queue = QueueState(wait=61.0, per_byte=0.02)
    for size in range(300):
        refused(gate, "greedy", size=500 + size, queue=queue)
    assert gate.turns == TURNS_AN_UPLOAD * 2
    clock.now += 19.0
    with gate.enter(50, None, replace(queue, wait=44.0), client="other"):
        pass


def test_a_body_without_a_length_is_one_part_ahead() -> None:
    """It counts in what is to come, and its next part must leave the reserve."""
    gate = Gate(replace(LIMITS, pending_bytes=PART_BYTES, uploads=3))
    with pytest.raises(StorageFullError), gate.enter(None, free=LIMITS.reserve + PART_BYTES - 1):
        pass
    with gate.enter(None, free=LIMITS.reserve + PART_BYTES) as ticket:
        with pytest.raises(TooManyUploadsError), gate.enter(1, free=None):
            pass
        for _ in range(3):
            ticket.received(PART_BYTES - 1)
        assert (ticket.promised, ticket.size) == (PART_BYTES, 3 * (PART_BYTES - 1))


def test_the_reserve_is_asked_for_again_with_each_part() -> None:
    """Once for each; an upload that would write into the reserve ends, whether its length was known or not."""
    gate = Gate(replace(LIMITS, pending_bytes=10 * PART_BYTES, upload_bytes=10 * PART_BYTES))
    with gate.enter(None, free=None) as endless, gate.enter(2 * PART_BYTES, free=None) as known:
        told = []
        for _ in range(9):
            endless.received(PART_BYTES // 4)
            told.append(endless.part_is_full())
        assert told == [False, False, False, True, False, False, False, True, False]
        gate.go_on(LIMITS.reserve + 2 * PART_BYTES)
        gate.go_on(None)
        with pytest.raises(StorageFullError):
            gate.go_on(LIMITS.reserve + 2 * PART_BYTES - 1)
        known.received(2 * PART_BYTES)
        gate.go_on(LIMITS.reserve + PART_BYTES)


def open_uploads(*lefts: int, at: float = 1000.0, client: str = "10.0.0.1", size: int = 0) -> list[OpenUpload]:
    """Return open uploads that still bring so many bytes each."""
    return [OpenUpload(f"{number:032x}", client, size, left, at) for number, left in enumerate(lefts)]


def test_what_others_receive_takes_places_and_bytes() -> None:
    """As if it were received here: another web process has no gate of its own."""
    gate = Gate(LIMITS, Clock())
    moving = Elsewhere.of(open_uploads(600, 600), now=1000.0)
    with pytest.raises(TooManyUploadsError), gate.enter(1, None, elsewhere=moving):
        pass
    one = Elsewhere.of(open_uploads(600), now=1000.0)
    with pytest.raises(TooManyUploadsError), gate.enter(901, None, elsewhere=one):
        pass
    with pytest.raises(StorageFullError), gate.enter(100, 1199, elsewhere=one):
        pass
    with gate.enter(100, 1200, elsewhere=one):
        assert gate.active == 1


def test_a_resting_upload_takes_no_place_and_no_room() -> None:
    """Whoever creates uploads without end promises nothing to anybody; each is a job to be, and that is counted."""
    gate = Gate(LIMITS, Clock())
    resting = Elsewhere.of(open_uploads(600, 600, 600), now=1000.0 + MOVING_SECONDS)
    two = Elsewhere(resting=resting.resting[:2])
    assert gate.state(None, QueueState(wait=10.0, per_byte=1.0), two) is None
    assert isinstance(gate.state(None, QueueState(), resting), OwnerShareError)
    with gate.enter(100, 600, elsewhere=two):
        pass


def test_one_address_has_its_share_of_open_uploads() -> None:
    """Creating one costs nothing, and each is kept for a day."""
    gate = Gate(replace(LIMITS, owner_jobs=100, address_share=2), Clock())
    resting = Elsewhere.of(open_uploads(1, 1), now=1000.0 + MOVING_SECONDS)
    with pytest.raises(AddressShareError), gate.admit(1, None, QueueState(), resting, client="10.0.0.1", token=""):
        pass
    with gate.admit(1, None, QueueState(), resting, client="10.0.0.2", token=""):
        pass


def test_what_moves_elsewhere_makes_the_queue_longer() -> None:
    """By all of it: what has come, and what is to come."""
    gate = Gate(LIMITS, Clock())
    moving = Elsewhere.of(open_uploads(30, size=20), now=1000.0)
    queue = QueueState(wait=20.0, per_byte=1.0)
    assert gate.state(None, queue) is None
    assert isinstance(gate.state(None, queue, moving), QueueFullError)


def test_an_upload_goes_on_whatever_the_queue_says() -> None:
    """Admission was asked when it was created: places are asked now, and room for the rest."""
    gate, (upload, other, third) = Gate(LIMITS, Clock()), open_uploads(5000, 5000, 5000)
    with gate.receive(upload, None, Elsewhere.of([upload], 1000.0), client="a") as ticket:
        ticket.received(100)
        assert (gate.active, ticket.promised) == (1, 4900)
        # It is here: that Redis knows it too makes it no second one.
        with gate.receive(other, None, Elsewhere.of([upload, other], 1000.0), client="b"):
            assert gate.active == 2
            with pytest.raises(TooManyUploadsError), gate.receive(third, None, Elsewhere(), client="c"):
                pass
    assert gate.active == 0
    with pytest.raises(StorageFullError), gate.receive(upload, LIMITS.reserve + 4999, Elsewhere(), client="a"):
        pass
    with gate.receive(upload, LIMITS.reserve + 5000, Elsewhere(), client="a"):
        pass


def test_who_comes_back_takes_the_place_of_its_dead_line() -> None:
    """Nobody has noticed yet that the older connection is dead."""
    gate, (upload,) = Gate(replace(LIMITS, uploads=1), Clock()), open_uploads(10)
    with (
        gate.receive(upload, None, Elsewhere(), client="a"),
        gate.receive(upload, None, Elsewhere.of([upload], 1000.0), client="a"),
    ):
        assert gate.active == 2
    assert gate.active == 0


def test_one_address_continues_its_share_of_uploads() -> None:
    """Whichever process receives the others."""
    gate = Gate(replace(LIMITS, uploads=8, address_share=25), Clock())
    upload, *others = open_uploads(10, 10, 10)
    elsewhere = Elsewhere.of(others, now=1000.0)
    with pytest.raises(AddressShareError), gate.receive(upload, None, elsewhere, client="10.0.0.1"):
        pass
    with gate.receive(upload, None, elsewhere, client="10.0.0.2"):
        assert gate.active == 1


def test_a_stopping_service_receives_nothing_more() -> None:
    """The client goes on when it is back."""
    gate, (upload,) = Gate(LIMITS, Clock()), open_uploads(10)
    gate.drain_when(lambda: True)
    with pytest.raises(DrainingError), gate.receive(upload, None, Elsewhere(), client="a"):
        pass


def test_a_turn_is_taken_by_a_creation_that_succeeds() -> None:
    """One that fails, since a store is away, leaves it with the client."""
    clock = Clock()
    gate = Gate(LIMITS, clock)
    with pytest.raises(QueueFullError) as caught, gate.admit(100, None, FULL, Elsewhere(), client="a", token=""):
        pass
    token, room = caught.value.turn or "", QueueState(per_byte=0.01)
    clock.now += caught.value.retry_after
    with pytest.raises(ZeroDivisionError), gate.admit(100, None, room, Elsewhere(), client="a", token=token):
        raise ZeroDivisionError
    assert gate.turns == 1
    with gate.admit(100, None, room, Elsewhere(), client="a", token=token):
        pass
    assert (gate.turns, gate.active) == (0, 0)
