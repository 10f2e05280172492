"""One run: uploads and faults side by side, then calm, then a look at everything."""

from __future__ import annotations

import http.client
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from http import HTTPStatus
from itertools import chain, groupby
from math import ceil
from pathlib import Path
from typing import Any

import redis
from amqp.exceptions import AMQPError

from storage.services.queue_reading import all_unfinished
from tests.chaos.actors import Stage
from tests.chaos.clips import Clip, tiny_clip
from tests.chaos.faults import Broker, schedule
from tests.chaos.installation import Installation
from tests.chaos.journal import Journal
from tests.chaos.long_queue import LongQueue
from tests.chaos.media import Player
from tests.chaos.people import People, status_of
from tests.chaos.remains import messages, what_remains, work_keys
from tests.chaos.sums import wrong_now
from tests.chaos.verdict import Fate, Remains, Run, Wanted
from tests.chaos.watcher import Watcher
from tests.support.ended import events as events_of

TICK_SECONDS = 0.05
# The last lease runs out, what it held is done elsewhere, and the jobs under way are packaged.
SETTLE_SECONDS = 90.0
PAGE = 100  # jobs of one page of the API
# What each job of a long queue may add: to be sent, to be encoded where it is, and to be removed with what was made.
SEND_SECONDS_A_JOB, ENCODE_SECONDS_A_JOB, SETTLE_SECONDS_A_JOB = 0.5, 6.0, 0.1
IN_PEACE_SHARE = 1 / 30  # of the queue that is to end after the last fault, before the rest is called off
STAYING = 12  # the newest jobs are not called off: the end of the queue is to be whole, too
UNLIMITED = {"ADMISSION_MAX_WAIT_SECONDS": str(10**8), "OWNER_MAX_JOBS": str(10**8)}
_OVER = object()


class Attack:
    """An installation, the people who use it and what is done to it."""

    def __init__(
        self, folder: Path, clips: Sequence[Clip], broker: Broker, *, seed: int, seconds: float, waiting: int = 0
    ) -> None:
        """Have all of it ready; so many jobs are `waiting` before anything is broken, and as many all the time."""
        self._seed = seed
        self._seconds = seconds
        self._broker = broker
        self._folder = folder
        self._journal = Journal(folder)
        self.installation = Installation(folder, self._journal, broker, **(UNLIMITED if waiting else {}))
        self._services = self.installation.services()
        self._watcher = Watcher(self.installation.redis_direct, self._journal)
        self._stage = Stage(self.installation, self._watcher, self._journal)
        door = self.installation.web_door.port
        self._people = People(door, clips, seed, self._journal, self._unfinished_of_people)
        self._queue: LongQueue | None = None
        if waiting:
            tiny = tiny_clip(folder)
            self._queue = LongQueue(door, waiting, clips, tiny, seed, self._journal)
            clips = (*clips, tiny)
        self._wanted = {clip.name: _wanted(clip) for clip in clips}
        self._sums: list[str] = []

    def _unfinished_of_people(self) -> int:
        """Return how many jobs people would count: a long queue is to stay as long, so they bring one for each done."""
        waiting = 0 if self._queue is None else self._queue.count
        return max(0, self._watcher.unfinished - waiting)

    def run(self) -> Run:
        """Do all of it and return what was observed."""
        self.installation.start()
        self._watcher.start()
        if self._queue is not None:
            self._line_up(self._queue)
        began = self._journal.at
        self._people.start()
        self._break_things()
        self._people.stop()
        shortest = min((one.all_unfinished for one in self._watcher.samples if one.at >= began), default=0)
        if self._queue is not None:
            self._call_off(self._queue)
        settled_after = self._settle()
        self._check_sums("at the end")
        self._watcher.stop()
        fates, named = self._fates()
        run = self._seen(fates, settled_after, self._remains(fates, named))
        if self._queue is not None:
            run = _with_queue(run, self._queue, shortest)
        for name in ("recoveries", "repeated"):
            for one in getattr(run, name):
                self._journal.note(name, **asdict(one))
        return run

    def _remains(self, fates: Sequence[Fate], named: frozenset[str]) -> Remains:
        """Stop everything, and look at what is left."""
        slow = self.installation.stop_users()
        remains = what_remains(self.installation, self._services, self._deleted, {fate.id for fate in fates}, named)
        return replace(remains, slow_stops=(*slow, *self.installation.stop_servers()), sums=tuple(self._sums))

    @property
    def _deleted(self) -> frozenset[str]:
        return frozenset(self._people.deleted) | (self._queue.deleted if self._queue is not None else frozenset())

    def _seen(self, fates: tuple[Fate, ...], settled_after: float | None, remains: Remains) -> Run:
        return Run(
            seed=self._seed,
            broker=self._broker,
            seconds=self._seconds,
            settled_after=settled_after,
            wanted=self._wanted,
            tries=tuple(self._people.tries),
            blows=tuple(self._stage.blows),
            missed=len(self._stage.missed),
            samples=tuple(self._watcher.samples),
            fates=fates,
            remains=remains,
            deleted=self._deleted,
            in_doubt=frozenset(self._people.in_doubt),
            trouble=tuple(self._people.trouble),
            own_ends=tuple(end for part in self.installation.parts for end in part.own_ends),
        )

    def _line_up(self, queue: LongQueue) -> None:
        """Send the long queue and look at its sums; from then on its jobs are changed."""
        self._journal.show("sends", jobs=queue.count)
        queue.send()
        self._tick_until(lambda: not queue.busy, SEND_SECONDS_A_JOB * queue.count)
        self._check_sums("before the faults")
        queue.change()

    def _call_off(self, queue: LongQueue) -> None:
        """After the faults: let some more of the queue be encoded, then end all that waits but the newest jobs."""
        queue.stop()
        self._journal.show("in peace", unfinished=self._watcher.unfinished)
        self._tick_until(lambda: not queue.busy and self._people.gone and self.installation.runs, SETTLE_SECONDS)
        self._check_sums("after the faults")
        jobs, wanted = self._services.jobs, ceil(IN_PEACE_SHARE * queue.count)
        enough = jobs.totals().ended + wanted
        if not self._tick_until(lambda: jobs.totals().ended >= enough, ENCODE_SECONDS_A_JOB * wanted):
            queue.trouble.append(f"fewer than {wanted} jobs of the long queue ended in peace")
        waiting = list(chain.from_iterable(all_unfinished(jobs)))[:-STAYING]
        self._journal.show("calls off", jobs=len(waiting))
        queue.call_off(waiting)
        self._tick_until(lambda: not queue.busy, SEND_SECONDS_A_JOB * queue.count)
        self._check_sums("after most were called off")

    def _check_sums(self, when: str) -> None:
        with self.installation.at_rest():
            found = list(wrong_now(self._services.jobs, when))
        self._journal.show("sums", when=when, wrong=len(found))
        self._sums += found

    def _break_things(self) -> None:
        """Do what the schedule says when it says so; return when the last fault is over."""
        due, acting = list(schedule(self._seed, self._seconds, self._broker)), list[Iterator[None]]()
        began = self._journal.at
        self._journal.show("begins", seed=self._seed, faults=len(due))

        def over() -> bool:
            passed = self._journal.at - began
            while due and passed >= due[0].at:
                acting.append(self._stage.act(due.pop(0)))
            acting[:] = [act for act in acting if next(act, _OVER) is not _OVER]
            return not due and not acting and passed >= self._seconds

        self._tick_until(over, float("inf"))

    def _settle(self) -> float | None:
        """Wait until nothing is left to do; return how long that took, None if it did not come to it."""
        began = self._journal.at
        self._journal.show("calm")
        seconds = SETTLE_SECONDS + SETTLE_SECONDS_A_JOB * (0 if self._queue is None else self._queue.count)
        settled = self._tick_until(lambda: self._people.gone and self._ends_unsent() and self._is_calm(), seconds)
        self._journal.show("settled" if settled else "not settled")
        return self._journal.at - began if settled else None

    def _ends_unsent(self) -> bool:
        """Delete the jobs of uploads of which nothing came: the answer to their creation was lost."""
        port = self.installation.web_server.port
        try:
            jobs = Player(port, self._folder).ask(f"/api/jobs?limit={PAGE}&state=uploading")["jobs"]
        except (OSError, LookupError, http.client.HTTPException):
            return False
        unsent = [job["id"] for job in jobs if not job["upload"]["received"]]
        return all(status_of(port, "DELETE", f"/api/jobs/{job_id}") == HTTPStatus.NO_CONTENT for job_id in unsent)

    def _is_calm(self) -> bool:
        """Tell whether all parts run and no job, message or lease is left."""
        if not self.installation.runs:
            return False
        try:
            with redis.Redis.from_url(self.installation.redis_direct, decode_responses=True) as client:
                found = client.keys("*")
            return not any(work_keys(found)) and not messages(self.installation)
        except (AMQPError, OSError, redis.RedisError):
            return False

    def _tick_until(self, condition: Callable[[], bool], seconds: float) -> bool:
        """Look after the installation until the condition is true; False when `seconds` have passed before."""
        until = self._journal.at + seconds
        while not condition():
            if self._journal.at > until:
                return False
            self.installation.tick()
            time.sleep(TICK_SECONDS)
        return True

    def _fates(self) -> tuple[tuple[Fate, ...], frozenset[str]]:
        """Look at every job there is; return the jobs and all addresses that lead to something of them."""
        player = Player(self.installation.web_server.port, self._folder / "fetched")
        fates, named = [], set[str]()
        for listed in _all_jobs(player):
            job = player.ask(listed["links"]["self"])
            fate, addresses = self._fate(player, job)
            self._journal.note("job", **{name: getattr(fate, name) for name in Fate.__dataclass_fields__})
            fates.append(fate)
            named |= addresses
        return tuple(fates), frozenset(named)

    def _fate(self, player: Player, job: dict[str, Any]) -> tuple[Fate, frozenset[str]]:
        events = [(event.type, event.data.get("state")) for event in events_of(self._services, job["id"])]
        error = job["error"] or {}
        fate = Fate(
            id=job["id"],
            title=job["title"],
            clip=job["filename"],
            state=job["state"],
            error=f"{error.get('code', '')} {error.get('detail', '')[-300:]}".strip(),
            frames=(job["plan"] or {}).get("frames", 0),
            warnings=tuple(known["message"] for known in job["warnings"]),
            seconds=_seconds(job),
            created=_times_created(events),
            readied=events.count(("state", "ready")),
        )
        if fate.state != "ready":
            return fate, frozenset()
        try:
            tracks, addresses = player.tracks(job)
        except (LookupError, OSError, AssertionError) as trouble:
            return replace(fate, trouble=f"{type(trouble).__name__}: {trouble}"), frozenset()
        return replace(fate, tracks=tracks), addresses


def _times_created(events: Sequence[tuple[str, str | None]]) -> int:
    """Return how often a job came to be: another priority tells its state again, with nothing in between."""
    states = [state for state, _ in groupby(state for _, state in events if state is not None)]
    return max(states.count("queued"), sum(kind == "created" for kind, _ in events))


def _with_queue(run: Run, queue: LongQueue, shortest: int) -> Run:
    return replace(
        run,
        tries=(*run.tries, *queue.tries),
        in_doubt=run.in_doubt | queue.maybe_deleted,
        long_queue=queue.count,
        shortest=shortest,
        cancelled=frozenset(queue.cancelled),
        maybe_cancelled=frozenset(queue.maybe_cancelled),
        trouble=(*run.trouble, *queue.trouble),
    )


def _all_jobs(player: Player) -> Iterator[dict[str, Any]]:
    cursor = ""
    while True:
        page = player.ask(f"/api/jobs?limit={PAGE}{cursor}")
        yield from page["jobs"]
        if page["cursor"] is None:
            return
        cursor = f"&cursor={page['cursor']}"


def _wanted(clip: Clip) -> Wanted:
    sentences = tuple(known.message for known in clip.plan.warnings)
    return Wanted(clip.plan.frames, clip.rungs, bool(clip.plan.audio), sentences)


def _seconds(job: dict[str, Any]) -> float:
    """Return how long the job took, 0 for one that has not ended."""
    if job["finished_at"] is None:
        return 0.0
    return (datetime.fromisoformat(job["finished_at"]) - datetime.fromisoformat(job["created_at"])).total_seconds()
