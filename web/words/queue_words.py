"""The queue's JSON in words: what its page shows first, and what its script fetches as long as the page lives."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from babel.numbers import format_decimal

from storage.model.task import Task
from web.words.job_words import about, percent, reason, text
from web.words.language import language

Queue = Mapping[str, Any]


def worded(queue: Queue, titles: Mapping[str, str]) -> dict[str, Any]:
    """Return all that the page says of the queue; `titles` are those of the jobs by id, as far as they are known."""
    return {
        "open": queue["admission"]["open"],
        "admission": admission(queue),
        "figures": figures(queue),
        "workers": [_worker(worker, titles) for worker in queue["workers"]],
    }


def _worker(worker: Mapping[str, Any], titles: Mapping[str, str]) -> dict[str, Any]:
    held = [(one["job_id"], one["task"]) for one in worker["tasks"]]
    tasks = [{"job_id": job_id, "words": task(name, titles.get(job_id, job_id[:8]))} for job_id, name in held]
    return {"name": worker["name"], "load": load(worker), "tasks": tasks}


def figures(queue: Queue) -> dict[str, str]:
    """Return the value of each figure of the page by its name."""
    rates, promises = queue["rates"], queue["promises"]
    return {
        "waiting": _number(queue["waiting"]),
        "active": _number(queue["active"]),
        "work": _time(queue["waiting_work_seconds"] + queue["running_work_seconds"]),
        "wait": _time(queue["wait_seconds"]),
        "arrivals": _per_hour(rates["arrivals_per_hour"]),
        "service": _per_hour(rates["service_per_hour"]),
        "utilisation": text("queue.unknown") if rates["utilisation"] is None else percent(rates["utilisation"]),
        "little": _little(rates),
        "slots": _of(queue["busy"], queue["slots"]),
        "uploads": _of(queue["uploads"], queue["max_uploads"]),
        "refused": _number(sum(queue["refused"].values())),
        "promises": text("queue.too_few") if promises["ready_kept"] is None else percent(promises["ready_kept"]),
    }


def admission(queue: Queue) -> str:
    """Return whether uploads are taken, and if not, why and until when."""
    state = queue["admission"]
    if state["open"]:
        return text("queue.open", limit=about(state["max_wait_seconds"]))
    why = reason(state)
    if state["retry_after"] is None:
        return text("queue.closed", reason=why)
    return text("queue.closed_until", reason=why, duration=about(state["retry_after"]))


def task(name: str, title: str) -> str:
    """Return what an attempt at the task of this name does to the job of this title."""
    named = Task.of_field("", name)
    return text(f"task.{named.stage}", title=title, n=_number(named.index + 1))


def load(worker: Mapping[str, Any]) -> str:
    """Return how many of a machine's slots are busy, or why it takes no work, and what its sandbox lacks, if any."""
    said = (_busy(worker), *(text(f"lacks.{layer}") for layer in worker["lacks"]))
    return " · ".join(one for one in said if one)


def _busy(worker: Mapping[str, Any]) -> str:
    if worker["pause"]:
        return text(f"pause.{worker['pause']}")
    busy = sum(Task.of_field(held["job_id"], held["task"]).is_encoding for held in worker["tasks"])
    return _of(busy, worker["slots"]) if worker["slots"] else ""


def _time(seconds: float) -> str:
    return text("queue.no_wait") if seconds < 1 else about(seconds)


def _number(value: float) -> str:
    return str(format_decimal(value, format="#,##0.#", locale=language()))


def _of(part: int, whole: int) -> str:
    return text("queue.of", n=_number(part), whole=_number(whole))


def _per_hour(rate: float | None) -> str:
    return text("queue.unknown") if rate is None else text("queue.per_hour", n=_number(rate))


def _little(rates: Mapping[str, Any]) -> str:
    measured, predicted = rates["jobs"], rates["jobs_by_little"]
    if measured is None or predicted is None:
        return text("queue.unknown")
    return text("queue.little", measured=_number(measured), predicted=_number(predicted))
