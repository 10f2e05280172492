"""The report of a run: pure text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from tests.chaos.faults import Kind
from tests.chaos.verdict import QUEUE_TITLE, Run
from tests.chaos.work import KILLS, Recovery


def report(run: Run, broken: list[str]) -> str:
    """Return what happened, in figures, and the verdict."""
    return "\n".join([*_figures(run), *_verdict(run, broken)])


def _figures(run: Run) -> Iterator[str]:
    accepted = sum(tried.accepted for tried in run.tries)
    others = Counter(f"{tried.status or 'broken'} {tried.code}" for tried in run.tries if not tried.accepted)
    settled = _seconds(run.settled_after)
    yield f"seed {run.seed}, broker {run.broker}, {run.seconds:.0f} s of faults, settled after {settled}"
    yield f"jobs: {accepted} accepted, {len(run.deleted)} of them deleted again; {len(run.fates)} there at the end"
    yield f"uploads not accepted: {_counts(others)}"
    if run.long_queue:
        ended = Counter(fate.state for fate in run.fates if fate.title.startswith(QUEUE_TITLE))
        yield f"long queue of {run.long_queue}, at least {run.shortest} all the time; at the end {_counts(ended)}"
    yield f"faults: {_counts(Counter(blow.kind.value for blow in run.blows))}; {run.missed} had nothing to hit"
    for kind in (Kind.ENCODER, Kind.POOL_CHILD, Kind.ENCODER_PARENT, Kind.CONTROL):
        of_kind = (one for one in run.recoveries if one.blow.kind is kind)
        yield f"longest from a kill to work going on, {kind}: {_longest(of_kind)}"
    early = {piece for sample in run.samples for piece in sample.done if piece[1].startswith("early-segment")}
    hit = sum(any(held.early for held in blow.held) for blow in run.blows)
    yield f"early work: {len(early)} segments encoded before the last byte, {hit} faults hit some of it"
    again = run.repeated
    causes = Counter("no fault of its own" if one.cause is None else one.cause.kind.value for one in again)
    kills = sum(blow.kind in KILLS for blow in run.blows)
    yield f"encoding done twice: {sum(one.seconds for one in again):.1f} s in {len(again)} attempts, {kills} kills"
    yield f"  by what hit them: {_counts(causes)}"
    slowest = max(run.fates, key=lambda fate: fate.seconds, default=None)
    yield "slowest job: " + ("none" if slowest is None else f"{slowest.seconds:.1f} s, {slowest.clip} {slowest.id}")
    yield f"ended by themselves and started again: {_counts(Counter(end.part for end in run.own_ends))}"
    remains = run.remains
    yield (
        f"left for the janitor's age limit: {len(remains.young_originals)} objects of refused or broken uploads, "
        f"{len(remains.young_writes)} unfinished writes"
    )


def _verdict(run: Run, broken: list[str]) -> Iterator[str]:
    lost = sum(line.startswith("lost") for line in broken)
    yield f"lost: {lost}"
    yield "PASSED" if not broken else f"FAILED, seed {run.seed}:"
    yield from (f"  - {line}" for line in broken)


def _longest(of_kind: Iterable[Recovery]) -> str:
    found = tuple(of_kind)
    alone = [one for one in found if not one.disturbed and not one.again]
    others = [one for one in found if one.disturbed or one.again]
    return (
        f"{_longest_of(alone)} of {len(alone)}; {_longest_of(others)} of {len(others)} "
        "that were hit before or with other faults meanwhile"
    )


def _longest_of(found: list[Recovery]) -> str:
    offered = max((one.offered for one in found if one.offered is not None), default=None)
    resumed = max((one.resumed for one in found if one.resumed is not None), default=None)
    return f"{_seconds(offered)} offered, {_seconds(resumed)} resumed"


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f} s"


def _counts(counted: Counter[str]) -> str:
    return ", ".join(f"{count} {name.strip()}" for name, count in sorted(counted.items())) or "none"
