"""One run: uploads and faults side by side, then calm, then a look at everything."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import redis
from amqp.exceptions import AMQPError

from tests.chaos.actors import Stage
from tests.chaos.clips import Clip
from tests.chaos.faults import Broker, schedule
from tests.chaos.installation import Installation
from tests.chaos.journal import Journal
from tests.chaos.media import Player
from tests.chaos.people import People
from tests.chaos.remains import messages, what_remains, work_keys
from tests.chaos.verdict import Fate, Run, Wanted
from tests.chaos.watcher import Watcher
from tests.support.ended import events as events_of

TICK_SECONDS = 0.05
# The last lease runs out, what it held is done elsewhere, and the jobs under way are packaged.
SETTLE_SECONDS = 90.0
PAGE = 100  # jobs of one page of the API
_OVER = object()


class Attack:
    """An installation, the people who use it and what is done to it."""

    def __init__(self, folder: Path, clips: Sequence[Clip], broker: Broker, *, seed: int, seconds: float) -> None:
        self._seed = seed
        self._seconds = seconds
        self._broker = broker
        self._clips = clips
        self._folder = folder
        self._journal = Journal(folder)
        self.installation = Installation(folder, self._journal, broker)
        self._services = self.installation.services()
        self._watcher = Watcher(self.installation.redis_direct, self._journal)
        self._stage = Stage(self.installation, self._watcher, self._journal)

    def run(self) -> Run:
        """Do all of it and return what was observed."""
        self.installation.start()
        self._watcher.start()
        door = self.installation.web_door.port
        people = People(door, self._clips, self._seed, self._journal, lambda: self._watcher.unfinished)
        people.start()
        self._break_things()
        people.stop()
        settled_after = self._settle(people)
        self._watcher.stop()
        fates, named = self._fates()
        slow = self.installation.stop_users()
        remains = what_remains(self.installation, self._services, people, {fate.id for fate in fates}, named)
        run = Run(
            seed=self._seed,
            broker=self._broker,
            seconds=self._seconds,
            settled_after=settled_after,
            wanted={clip.name: _wanted(clip) for clip in self._clips},
            tries=tuple(people.tries),
            blows=tuple(self._stage.blows),
            missed=len(self._stage.missed),
            samples=tuple(self._watcher.samples),
            fates=fates,
            remains=replace(remains, slow_stops=(*slow, *self.installation.stop_servers())),
            deleted=frozenset(people.deleted),
            in_doubt=frozenset(people.in_doubt),
            own_ends=tuple(end for part in self.installation.parts for end in part.own_ends),
        )
        for name in ("recoveries", "repeated"):
            for one in getattr(run, name):
                self._journal.note(name, **asdict(one))
        return run

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

    def _settle(self, people: People) -> float | None:
        """Wait until nothing is left to do; return how long that took, None if it did not come to it."""
        began = self._journal.at
        self._journal.show("calm")
        settled = self._tick_until(lambda: people.gone and self._is_calm(), SETTLE_SECONDS)
        self._journal.show("settled" if settled else "not settled")
        return self._journal.at - began if settled else None

    def _is_calm(self) -> bool:
        """Tell whether all parts run and no job, message or lease is left."""
        if not all(part.pid for part in self.installation.parts) or not self.installation.web_server.answers():
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
            created=events.count(("created", "queued")),
            readied=events.count(("state", "ready")),
        )
        if fate.state != "ready":
            return fate, frozenset()
        try:
            tracks, addresses = player.tracks(job)
        except (LookupError, OSError, AssertionError) as trouble:
            return replace(fate, trouble=f"{type(trouble).__name__}: {trouble}"), frozenset()
        return replace(fate, tracks=tracks), addresses


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
    return Wanted(clip.plan.frames, clip.rungs, clip.plan.audio is not None, sentences)


def _seconds(job: dict[str, Any]) -> float:
    """Return how long the job took, 0 for one that has not ended."""
    if job["finished_at"] is None:
        return 0.0
    return (datetime.fromisoformat(job["finished_at"]) - datetime.fromisoformat(job["created_at"])).total_seconds()
