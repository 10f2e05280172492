"""What the job store's keys in Redis are called; storage/job_store/lua/common.lua says what each of them holds."""

from __future__ import annotations

EVENTS = "rungs:events"
WAITING = "rungs:waiting"
UNFINISHED = "rungs:unfinished"
FINISHED = "rungs:finished"
NOTICES = "rungs:notices"
UNSAVED = "rungs:unsaved"
SLOTS = "rungs:slots"
LEFTOVERS = "rungs:leftovers"
REPAIRS = "rungs:repairs"
FAULTS = "rungs:faults"
TOTALS = "rungs:totals"
SAMPLES = "rungs:samples"
TARGETS = "rungs:targets"
PLANS = "rungs:plans"
HANDED = "rungs:handed"
COUNTED = "rungs:counted"
WORK = "rungs:work"
EXCESS = "rungs:excess"
FIGURES = "rungs:figures"
OWNERS = "rungs:owners"
UNBEGUN = "rungs:unbegun"
ACTIVE = "rungs:active"
PLANNED = "rungs:planned"
UPLOADS = "rungs:uploads"
FOLLOWED = "rungs:followed"
EARLY_OUT = "rungs:early-out"


def of_job(name: str, job_id: str) -> str:
    """Return one of the keys that each job has of its own."""
    return f"rungs:{name}:{job_id}"


def owned(owner: str, state: str) -> str:
    """Return the key of the list of an owner's jobs in one state."""
    return f"rungs:owned-in:{state}:{owner}"


def of_owner(name: str, owner: str) -> str:
    """Return one of the keys that each owner has of their own."""
    return f"rungs:{name}-of:{owner}"


def trees_of(owner: str) -> tuple[str, str]:
    """Return the keys of the two trees of an owner, of all jobs for nobody's name."""
    return (of_owner("work", owner), of_owner("excess", owner)) if owner else (WORK, EXCESS)


def role(name: str) -> str:
    """Return the key of a role that one holder has at a time."""
    return f"rungs:role:{name}"


def holder_of(upload_id: str) -> str:
    """Return the key of the request that receives an upload."""
    return f"rungs:upload-holder:{upload_id}"


def receiving(holder: str) -> str:
    """Return the key that is there as long as a request may store bytes of an upload."""
    return f"rungs:receiving:{holder}"


def counted() -> tuple[str, ...]:
    """Return the keys of the sums of work, and of what stands beside them, of all owners."""
    return (COUNTED, WORK, EXCESS, FIGURES, OWNERS, UNBEGUN, ACTIVE, PLANNED)


def all_of(job_id: str) -> list[str]:
    """Return the keys of common.lua, in its order."""
    own = ("job", "wanted", "frames", "done", "attempts", "leases", "interim", "out", "events")
    shared = (EVENTS, WAITING, UNFINISHED, FINISHED, NOTICES, LEFTOVERS, UNSAVED, TOTALS, TARGETS, PLANS, HANDED)
    early = (FOLLOWED, EARLY_OUT, of_job("early", job_id))
    return [*(of_job(name, job_id) for name in own), *shared, *counted(), *early]
