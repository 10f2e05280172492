"""When an encoder takes no work: a pure decision over what its machine has left.

Short of processor time alone is no reason: encoding is what the cores are there for, tools are of a niceness that gives
way to everything else, and what a slot then delivers is measured.
"""

from __future__ import annotations

from dataclasses import dataclass

from storage.job_store.queue_contract import Pause

# Work is taken again with so much more than it was stopped at: a single task that ends frees about as much as the next
# one needs, and would open and close the intake for ever.
RESUME_FACTOR = 1.25
# Programs that want to run, for each core, by the machine's average over a minute. Encoders themselves make two to
# three for each slot (measured), so this is foreign work or far too many slots: a task would crawl here that another
# machine does in seconds.
OVERLOAD, OVERLOAD_OVER = 32.0, 16.0
# Share of the last ten seconds in which everything that could run waited for memory: more work would only wait with it.
# Waiting for a disk does not count: where nothing computes, a single upload to a slow one makes all of the time so.
STALLED, STALLED_OVER = 0.5, 0.2


@dataclass(frozen=True, slots=True)
class MachineState:
    """What a machine has left.

    `scratch` are free bytes that no attempt is promised, `memory` bytes that can be had without swapping (None where
    nobody tells), `load` programs that want to run for each core, `stalled` the share (0..1) of the last seconds in
    which all of them waited for memory.
    """

    scratch: int
    memory: int | None
    load: float
    stalled: float


@dataclass(frozen=True, slots=True)
class Reserve:
    """What has to be left of a machine's `scratch` space and `memory` (bytes) for another task to be begun."""

    scratch: int
    memory: int


def pause_of(machine: MachineState, reserve: Reserve, present: Pause | None) -> Pause | None:
    """Return why no work is taken now, None when it is; `present` is why none was taken until now."""

    def lacks(pause: Pause, left: int, wanted: int) -> bool:
        return left < wanted * (RESUME_FACTOR if present is pause else 1)

    if lacks(Pause.SCRATCH, machine.scratch, reserve.scratch):
        return Pause.SCRATCH
    if machine.memory is not None and lacks(Pause.MEMORY, machine.memory, reserve.memory):
        return Pause.MEMORY
    if machine.stalled >= (STALLED_OVER if present is Pause.MEMORY else STALLED):
        return Pause.MEMORY
    if machine.load >= (OVERLOAD_OVER if present is Pause.OVERLOAD else OVERLOAD):
        return Pause.OVERLOAD
    return None
