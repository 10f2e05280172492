"""The seventh part of the job store's contract: early work, of uploads that are not whole (storage/model/early.py).

It is done where encoders would be idle, and given up without a word: a message that is lost, a plan that turns out
otherwise, an upload that ends. What was done in vain is counted for its owner, and bounded.
"""

from __future__ import annotations

from typing import Protocol

from storage.model.early import EarlyPlan
from storage.model.plan import Plan
from storage.model.task import Task

# Enough for the pictures that tell what the others are like; who sends less is whole in a moment.
FIRST_LOOK_BYTES = 1024 * 1024
# How much more has come at each further look at an upload that could not be planned yet, times what had at the last
# one: so that a file of any length is looked at a few times.
LOOK_FACTOR = 2
# Uploads that are looked at for early work, the oldest first: those of a few slots, and a few of which nothing comes.
FOLLOWED_READ = 50
# A task that was handed out and not heard of for so long was lost. A segment takes seconds; longer ones cost a slot.
LOST_SECONDS = 120.0
# Encoder-seconds that an owner's uploads may cost in vain within WASTE_SECONDS. After that nothing of theirs is encoded
# early until the time is over. Ten minutes of an hour: a slot has sixty.
MOST_WASTED = 600.0
WASTE_SECONDS = 3600


class EarlyStore(Protocol):
    """What is done early for the jobs that are uploading, the oldest first, and what came of it.

    All methods are atomic, and raise JobStoreDownError when Redis is away.
    """

    def issue_early(self, slots: int) -> tuple[Task, ...]:
        """Return early tasks to publish now: of slots that would be idle, `slots` in all, once nothing else is due."""

    def give_back_early(self, task: Task) -> None:
        """Let an early task be issued again that was issued and not begun."""

    def others_wait(self) -> bool:
        """Tell whether there is work of whole uploads, behind which early work stands back."""

    def save_early(self, job_id: str, early: EarlyPlan) -> bool:
        """Keep an early plan; return False for a job that is not uploading, or has one."""

    def early(self, job_id: str) -> EarlyPlan | None:
        """Return the job's early plan, None without one. Raises RecordError for what nobody wrote."""

    def planned_early(self, job_id: str) -> Plan | None:
        """Return what of the early plan all its segments share, as `early` does."""

    def forget_early(self, job_id: str) -> None:
        """Throw away the early plan and all that was done by it; attempts at it are refused their next renewal."""

    def wasted(self, owner: str) -> float:
        """Return how many encoder-seconds the owner's uploads have cost in vain within WASTE_SECONDS."""
