"""The verdict: a run without fault has none, and each broken promise is named."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.chaos.faults import Broker, Kind
from tests.chaos.media import Track
from tests.chaos.people import Tried
from tests.chaos.report import report
from tests.chaos.verdict import Fate, Remains, Run, Wanted, violations
from tests.chaos.work import Blow, Held, OwnEnd, Sample

PIECE = ("0f", "segment:1")
HELD = Held(PIECE, "host_11_aa")
TRACKS = {
    "360p.mp4": Track(90, sound=True, complaint=""),
    "hls/360p": Track(90, sound=False, complaint=""),
    "hls/audio": Track(0, sound=True, complaint=""),
}
FATE = Fate(id="0f", title="0.1.1", clip="small.mp4", state="ready", frames=90, seconds=4.0, tracks=TRACKS)
TAKEN = Tried("0.1.1", "small.mp4", began=1.0, seconds=0.5, status=202, job_id="0f")
BUSY = Tried("0.2.1", "small.mp4", began=2.0, seconds=0.1, status=503, code="busy", retry_after=5)
BROKEN = Tried("0.2.2", "small.mp4", began=3.0, seconds=0.1, status=0, code="ConnectionResetError")
RUN = Run(
    seed=1,
    broker=Broker.REDIS,
    seconds=60.0,
    settled_after=5.0,
    wanted={"small.mp4": Wanted(frames=90, rungs=("360p",), sound=True)},
    tries=(TAKEN, BUSY, BROKEN),
    blows=(),
    missed=0,
    samples=(),
    fates=(FATE,),
    remains=Remains(young_originals=("originals/ab/original",)),
)


def broken(**changes: Any) -> str:
    """Return the one violation of a run with these changes."""
    (sentence,) = violations(replace(RUN, **changes))
    return sentence


def test_a_run_that_kept_every_promise_passes() -> None:
    """Refused and broken uploads, and what they leave for the janitor's age limit, are no violations."""
    assert violations(RUN) == []
    assert report(RUN, []).endswith("lost: 0\nPASSED")


def test_a_lost_job_is_named() -> None:
    """202 was said, and there is no such job."""
    lost = replace(TAKEN, title="0.9.1", job_id="ee")
    sentence = broken(tries=(TAKEN, lost))
    assert sentence == "lost: upload 0.9.1 was accepted as ee, which is gone"
    assert "lost: 1\nFAILED" in report(RUN, [sentence])


@pytest.mark.parametrize(
    "tried", [replace(BUSY, status=500, code="internal_error"), replace(BUSY, retry_after=None)], ids=["500", "no time"]
)
def test_an_unclear_refusal_is_named(tried: Tried) -> None:
    """Only 503 with a time to come back is clear."""
    assert broken(tries=(TAKEN, tried)).startswith("unclear: upload 0.2.1")


def test_one_upload_is_one_job() -> None:
    """Two jobs of one title came from one try."""
    assert broken(fates=(FATE, replace(FATE, id="1e"))) == "twice: upload 0.1.1 became 2 jobs"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"state": "encoding"}, "is encoding"),
        ({"state": "failed", "error": "not_a_video"}, "is failed not_a_video"),
        ({"readied": 2}, "ready 2 times"),
        ({"trouble": "LookupError: 404"}, "cannot be looked at: LookupError: 404"),
        ({"frames": 60}, "60 frames planned instead of 90"),
        ({"warnings": ("damaged",)}, "warnings ('damaged',)"),
        ({"tracks": TRACKS | {"360p.mp4": Track(89, sound=True, complaint="")}}, "360p.mp4 has 89 frames"),
        ({"tracks": TRACKS | {"360p.mp4": Track(90, sound=False, complaint="")}}, "360p.mp4 has no sound"),
        ({"tracks": TRACKS | {"hls/360p": Track(90, sound=False, complaint="error")}}, "hls/360p does not decode"),
        ({"tracks": {name: TRACKS[name] for name in ("360p.mp4", "hls/360p")}}, "tracks ['360p.mp4', 'hls/360p']"),
    ],
)
def test_a_job_that_is_not_as_it_must_be_is_named(changes: dict[str, Any], words: str) -> None:
    """State, events, plan and every track."""
    assert words in broken(fates=(replace(FATE, **changes),))


@pytest.mark.parametrize("name", ["messages", "keys", "objects", "scratch", "processes", "slow_stops", "sums"])
def test_what_is_left_is_named(name: str) -> None:
    """Each kind of remains by its own name."""
    assert broken(remains=Remains(**{name: ("this one",)})) == f"1 {name.replace('_', ' ')}: this one"


def test_a_job_of_a_long_queue_may_end_only_as_was_asked() -> None:
    """One that was called off is cancelled, and nobody else is; each upload of the queue is to be accepted."""
    queued = replace(FATE, id="1e", title="queue.0", state="cancelled")
    taken = replace(TAKEN, title="queue.0", job_id="1e")
    run = replace(RUN, tries=(*RUN.tries, taken), fates=(FATE, queued), long_queue=1)
    assert violations(replace(run, cancelled=frozenset({"1e"}))) == []
    assert violations(replace(run, maybe_cancelled=frozenset({"1e"}))) == []
    assert violations(run) == ["job 1e (small.mp4, queue.0) is cancelled"]
    ready = replace(run, fates=(FATE, replace(queued, state="ready")), cancelled=frozenset({"1e"}))
    assert violations(ready) == ["job 1e (small.mp4, queue.0) was cancelled and is ready"]
    gone = replace(run, fates=(FATE,), cancelled=frozenset({"1e"}))
    assert violations(gone) == ["lost: upload queue.0 was accepted as 1e, which is gone"]
    assert broken(long_queue=2) == "0 of the 2 uploads of the long queue were accepted"
    assert broken(trouble=("unclear: PUT /x was answered 500",)) == "unclear: PUT /x was answered 500"


def test_a_part_that_ends_by_itself_is_named() -> None:
    """Though its supervisor starts it again, and though it had lost a child before."""
    hit = Blow(5.0, Kind.POOL_CHILD, "encode1", frozenset())
    assert broken(own_ends=(OwnEnd("encode1", at=9.0),), blows=(hit,)) == "encode1 ended by itself at 9.0"


def test_work_that_lies_still_is_named() -> None:
    """After the kill of a whole encoder, with nothing else hit, it goes on within its target."""
    kill = Blow(2.0, Kind.ENCODER, "encode1", frozenset({HELD}))
    looks = [Sample(at, frozenset({"0f"}), frozenset({HELD}), frozenset(), frozenset()) for at in (1.0, 20.0)]
    ended = Sample(30.0, frozenset(), frozenset(), frozenset(), frozenset())
    assert (
        broken(blows=(kill,), samples=(*looks, ended))
        == "0f/segment:1 lay still for 28.0 s after encoder killed at 2.0"
    )
    assert broken(blows=(kill,), samples=looks) == "0f/segment:1, held at a encoder killed, was never seen to go on"


def test_a_kill_that_costs_more_than_one_piece_is_named() -> None:
    """One piece done again after a kill is what was promised, two are not."""
    others = [Held(("0f", f"segment:{index}"), "host_11_aa") for index in (1, 2)]
    kill = Blow(2.0, Kind.ENCODER, "encode1", frozenset(others))

    def looks(held: list[Held]) -> tuple[Sample, ...]:
        again = [Held(one.piece, "host_22_bb") for one in held]
        lists = ((1.0, held), (5.0, again))
        return tuple(Sample(at, frozenset({"0f"}), frozenset(seen), frozenset(), frozenset()) for at, seen in lists)

    assert violations(replace(RUN, blows=(replace(kill, held=frozenset(others[:1])),), samples=looks(others[:1]))) == []
    sentence = "2 pieces were encoded again after one encoder killed at 2.0"
    assert broken(blows=(kill,), samples=looks(others)) == sentence


def test_a_run_that_does_not_settle_or_takes_nothing_fails() -> None:
    """A run that proved nothing is no passed one."""
    assert "not settled" in broken(settled_after=None)
    assert broken(tries=(BUSY,), fates=()) == "not one upload was accepted"
