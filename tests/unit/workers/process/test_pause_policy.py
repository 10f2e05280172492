"""When an encoder takes no work: each reason, and that it does not flap."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.job_store.queue_contract import Pause
from workers.process.pause_policy import (
    OVERLOAD,
    OVERLOAD_OVER,
    RESUME_FACTOR,
    STALLED,
    STALLED_OVER,
    MachineState,
    Reserve,
    pause_of,
)

RESERVE = Reserve(scratch=1000, memory=400)
PLENTY = MachineState(scratch=10_000, memory=4000, load=1.0, stalled=0.0)
SHORT = {
    Pause.SCRATCH: replace(PLENTY, scratch=999),
    Pause.MEMORY: replace(PLENTY, memory=399),
    Pause.OVERLOAD: replace(PLENTY, load=OVERLOAD),
}
BETTER = {
    Pause.SCRATCH: replace(PLENTY, scratch=int(1000 * RESUME_FACTOR) - 1),
    Pause.MEMORY: replace(PLENTY, memory=int(400 * RESUME_FACTOR) - 1),
    Pause.OVERLOAD: replace(PLENTY, load=OVERLOAD_OVER),
}


def test_with_room_work_is_taken() -> None:
    """Exactly the reserve is enough, and what nobody tells is no reason."""
    assert pause_of(PLENTY, RESERVE, None) is None
    assert pause_of(replace(PLENTY, scratch=1000, memory=None), RESERVE, None) is None


@pytest.mark.parametrize("pause", Pause)
def test_each_shortage_pauses_and_is_over_only_with_room_to_spare(pause: Pause) -> None:
    """What is short is named; what would do for an encoder that works does not start one that pauses."""
    assert pause_of(SHORT[pause], RESERVE, None) is pause
    assert pause_of(BETTER[pause], RESERVE, None) is None
    assert pause_of(BETTER[pause], RESERVE, pause) is pause
    assert pause_of(PLENTY, RESERVE, pause) is None


def test_a_machine_that_waits_for_memory_is_short_of_it() -> None:
    """Whatever can be had by the figures, until most of the time is its own again."""
    stuck = replace(PLENTY, stalled=STALLED)
    assert pause_of(stuck, RESERVE, None) is Pause.MEMORY
    assert pause_of(replace(stuck, stalled=STALLED_OVER), RESERVE, Pause.MEMORY) is Pause.MEMORY
    assert pause_of(replace(stuck, stalled=STALLED_OVER - 0.01), RESERVE, Pause.MEMORY) is None


def test_one_shortage_follows_another() -> None:
    """The reason that is told is a present one."""
    assert pause_of(SHORT[Pause.MEMORY], RESERVE, Pause.SCRATCH) is Pause.MEMORY


@given(
    st.builds(MachineState, st.integers(0, 3000), st.none() | st.integers(0, 1000), st.floats(0, 60), st.floats(0, 1)),
    st.none() | st.sampled_from(Pause),
)
def test_the_decision_stands_while_nothing_changes(machine: MachineState, present: Pause | None) -> None:
    """Deciding again by the same figures gives the same answer: no flapping by itself."""
    found = pause_of(machine, RESERVE, present)
    assert pause_of(machine, RESERVE, found) is found
