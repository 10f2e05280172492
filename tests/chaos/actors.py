"""Doing a fault: each is a generator that is resumed many times a second until it is over."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from operator import attrgetter

from tests.chaos.faults import Fault, Kind
from tests.chaos.installation import Installation
from tests.chaos.journal import Journal
from tests.chaos.parts import Part
from tests.chaos.watcher import Watcher
from tests.chaos.work import Blow
from tests.support.lossy_proxy import LossyProxy


@dataclass(slots=True)
class Stage:
    """Where faults happen; `blows` gathers those that hit something."""

    installation: Installation
    watcher: Watcher
    journal: Journal
    blows: list[Blow] = field(default_factory=list)
    missed: list[Fault] = field(default_factory=list)

    def act(self, fault: Fault) -> Iterator[None]:
        """Do the fault; it is missed where its target is down or frozen already, or there is nothing to hit."""
        return _ACTS[fault.kind](self, fault)

    def struck(self, fault: Fault, name: str, pids: tuple[int, ...] = ()) -> None:
        """Note what is hit, and what it holds; to be called just before."""
        held = self.watcher.look().held_by(pids) if pids else frozenset()
        self.blows.append(Blow(self.journal.at, fault.kind, name, held, fault.away, frozenset(pids)))
        pieces = [f"{one.piece[0][:6]}/{one.piece[1]}" for one in sorted(held, key=lambda one: one.piece)]
        self.journal.show(fault.kind.value, part=name, seconds=fault.seconds, held=",".join(pieces) or "-")
        self.journal.note("struck", pids=pids, held=[(*one.piece, one.attempt) for one in held])

    def miss(self, fault: Fault) -> None:
        """Note that there was nothing to hit."""
        self.missed.append(fault)
        self.journal.note("missed", kind=fault.kind, target=fault.target)

    def encoder(self, fault: Fault) -> Part | None:
        """Return the encoder the fault means: one of those that work, while there are any."""
        up = [part for part in self.installation.encoders if _standing(part)]
        present = self.watcher.look()
        busy = [part for part in up if present.held_by(part.children())]
        chosen = busy or up
        return chosen[fault.target % len(chosen)] if chosen else None


Act = Callable[[Stage, Fault], Iterator[None]]


def _standing(part: Part) -> bool:
    return part.pid is not None and not part.frozen


def _pids(part: Part) -> tuple[int, ...]:
    return (part.pid, *part.children()) if part.pid is not None else ()


def _kill_child(stage: Stage, fault: Fault) -> Iterator[None]:
    part = stage.encoder(fault)
    children = part.children() if part is not None else ()
    present = stage.watcher.look()
    victims = [pid for pid in children if present.held_by({pid})] or children
    if part is None or not victims:
        stage.miss(fault)
        return
    victim = victims[fault.target % len(victims)]
    stage.struck(fault, part.name, (victim,))
    part.signal_all(signal.SIGKILL, (victim,))
    yield


def _kill_encoder(stage: Stage, fault: Fault) -> Iterator[None]:
    yield from _killed(stage, fault, stage.encoder(fault), children=True)


def _kill_parent(stage: Stage, fault: Fault) -> Iterator[None]:
    yield from _killed(stage, fault, stage.encoder(fault), children=False)


def _kill(name: str) -> Act:
    def act(stage: Stage, fault: Fault) -> Iterator[None]:
        part: Part = attrgetter(name)(stage.installation)
        yield from _killed(stage, fault, part if _standing(part) else None, children=True)

    return act


def _kill_web_worker(stage: Stage, fault: Fault) -> Iterator[None]:
    web = stage.installation.web
    children = web.children()
    if not children:
        stage.miss(fault)
        return
    stage.struck(fault, web.name, children)
    web.signal_all(signal.SIGKILL, children)
    yield


def _killed(stage: Stage, fault: Fault, part: Part | None, *, children: bool) -> Iterator[None]:
    if part is None or not _standing(part):
        stage.miss(fault)
        return
    stage.struck(fault, part.name, _pids(part))
    part.kill(down=fault.seconds, children=children)
    yield


def _freeze_encoder(stage: Stage, fault: Fault) -> Iterator[None]:
    yield from _frozen(stage, fault, stage.encoder(fault))


def _freeze(name: str) -> Act:
    def act(stage: Stage, fault: Fault) -> Iterator[None]:
        part: Part = attrgetter(name)(stage.installation)
        yield from _frozen(stage, fault, part if _standing(part) else None)

    return act


def _frozen(stage: Stage, fault: Fault, part: Part | None) -> Iterator[None]:
    if part is None:
        stage.miss(fault)
        return
    stage.struck(fault, part.name, _pids(part))
    part.freeze()
    until = stage.journal.at + fault.seconds
    while stage.journal.at < until:
        yield
    part.thaw()
    stage.journal.show("goes on", part=part.name)


def _cut(name: str) -> Act:
    def act(stage: Stage, fault: Fault) -> Iterator[None]:
        door: LossyProxy = attrgetter(name)(stage.installation)
        if not door.cut(fault.target):
            stage.miss(fault)
            return
        stage.struck(fault, name.removeprefix("servers."))
        yield

    return act


def _lose(name: str) -> Act:
    def act(stage: Stage, fault: Fault) -> Iterator[None]:
        door: LossyProxy = attrgetter(name)(stage.installation)
        stage.struck(fault, name.removeprefix("servers."))
        door.lose_next_answer()
        yield

    return act


def _roll(stage: Stage, fault: Fault) -> Iterator[None]:
    """Restart all encoders one after the other by SIGTERM, each when the one before it serves again."""
    for part in stage.installation.encoders:
        if not _standing(part):
            continue
        stage.struck(fault, part.name, _pids(part))
        old = part.pid
        part.terminate()
        while part.pid in {old, None} or not part.server.answers():
            yield
    stage.journal.note("rolled")


_ACTS: dict[Kind, Act] = {
    Kind.POOL_CHILD: _kill_child,
    Kind.ENCODER: _kill_encoder,
    Kind.ENCODER_PARENT: _kill_parent,
    Kind.ENCODER_FROZEN: _freeze_encoder,
    Kind.WEB_WORKER: _kill_web_worker,
    Kind.WEB: _kill("web"),
    Kind.CONTROL: _kill("control"),
    Kind.JANITOR: _kill("janitor"),
    Kind.REDIS: _kill("servers.redis"),
    Kind.REDIS_FROZEN: _freeze("servers.redis"),
    Kind.MINIO: _kill("servers.minio"),
    Kind.MINIO_FROZEN: _freeze("servers.minio"),
    Kind.CUT_REDIS: _cut("servers.redis_door"),
    Kind.CUT_MINIO: _cut("servers.minio_door"),
    Kind.CUT_CLIENT: _cut("web_door"),
    Kind.LOST_REDIS: _lose("servers.redis_door"),
    Kind.LOST_MINIO: _lose("servers.minio_door"),
    Kind.LOST_CLIENT: _lose("web_door"),
    Kind.ROLLING: _roll,
    Kind.BROKER: _kill("servers.broker"),
    Kind.BROKER_FROZEN: _freeze("servers.broker"),
    Kind.CUT_BROKER: _cut("servers.broker_door"),
    Kind.LOST_BROKER: _lose("servers.broker_door"),
}
