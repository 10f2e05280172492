"""Whose work the encoders take next: a target time for each job, the earliest first. Pure.

This is earliest deadline first, the deadlines in proportion to what each job takes alone, which is how the greatest
stretch is kept small (Bender, Chakrabarti and Muthukrishnan, "Flow and stretch metrics for scheduling continuous job
streams", SODA 1998). A target is set once, so a newcomer goes ahead of those only whose target lies behind its own:

    small before big     a clip passes a film until the film has had STRETCH times the time that it takes alone
    nothing starves      after that time no newcomer passes it
    owners share         the tenth video that an owner has here at once is expected ten times as late as the first one,
                         so that another owner's only one passes nine of ten; among themselves they keep their order
    priority             counts as having come a day earlier or later: no newcomer passes a low one for ever

docs/queue.md states it for operators.
"""

from __future__ import annotations

from storage.model.job import Priority

# How many times as long as alone a job may take before later ones can no longer pass it. After a busy hour films are
# past that, and all that comes stands behind them. Simulated (docs/simulation-why.md): with 5, one small job in 100
# took 127 times as long as alone at a utilisation of 0.8; with 20 it took less than 4 times, even at 0.95.
STRETCH = 20.0
# Seconds from acceptance to the first pictures of a job that is alone: planning, and the first short segment. The start
# of each job is a small job of its own, so that what was accepted can be played soon, the longest film included.
START_ALONE_SECONDS = 4.0
# A job of so few encoder-seconds is worked on in one go: five times what a start costs (storage.scheduling.forecast).
# The starts of newcomers pass the rest of every job that was accepted, and of small jobs they are a large part (half of
# a clip of 3 s): in a full queue each of them would be ready later by so much.
WHOLE_SECONDS = 12.5
APART_SECONDS = 0.001  # between the starts of an owner's jobs at least, so that they keep their order
# Planning and packaging, which more slots do not make shorter.
FIXED_SECONDS = 3.0
# Tasks beyond those in work that wait at the broker, as a part of the slots, for encoders that come. More would only
# wait there in front of work with an earlier target: on two slots a single one was a film's segment that clips waited
# for. A slot does not need it, as the end of its task hands out the next one before the slot is free.
SPARE = 0.25
SPARE_PLANS = 1  # reading a huge original takes minutes, and keeps others from being planned only where it has company


# By how many seconds a job counts as having come earlier: more than STRETCH times what all but the longest films take
# alone, so that a high one passes even clips, and no longer than somebody who set a low one would wait.
LEAD_SECONDS = {Priority.HIGH: 86_400.0, Priority.NORMAL: 0.0, Priority.LOW: -86_400.0}


# Of an owner's unfinished jobs so many may be urgent: one at least. Where all are, none is, and others wait for a day.
HIGH_SHARE = 0.1


def alone_seconds(cost: float, slots: float) -> float:
    """Return how long a job of so many encoder-seconds takes if nothing else is there."""
    return FIXED_SECONDS + cost / max(1, slots)


def in_flight_after(accepted_at: float, unfinished: int, before: float | None) -> float:
    """Return how many times as late as its owner's only job a new one is expected: what is called in flight.

    That is the number of `unfinished` jobs that the owner has, this one included, and more if its start would stand in
    front of one that the owner brought earlier: `before` is the latest of their start targets, without the leads.
    """
    if before is None:
        return float(unfinished)
    return max(unfinished, (before + APART_SECONDS - accepted_at) / (STRETCH * START_ALONE_SECONDS))


def target(accepted_at: float, alone: float, *, in_flight: float, priority: Priority = Priority.NORMAL) -> float:
    """Return the job's target in the time of `accepted_at` (seconds); the earliest target is worked on first.

    `alone` are the seconds that the job (or its start) takes alone; for `in_flight` see above.
    """
    return accepted_at - LEAD_SECONDS[priority] + STRETCH * alone * in_flight


def target_delay(cost: float, slots: float, *, in_flight: float) -> float:
    """Return by how many seconds the target of a job lies behind that of its start; 0 for one that is done in one go.

    `cost` are its encoder-seconds, `slots` what all encoders deliver of them in a second.
    """
    if cost <= WHOLE_SECONDS:
        return 0.0
    return STRETCH * max(0.0, alone_seconds(cost, slots) - START_ALONE_SECONDS) * in_flight


def budget(slots: int) -> int:
    """Return how many tasks may be at the broker and in work at once, given the encoder slots there are."""
    known = max(1, slots)
    return known + int(known * SPARE)


def plans_budget(slots: int) -> int:
    """Return how many jobs may be planned at once."""
    return budget(slots) + SPARE_PLANS
