"""Early work in Redis: which uploads are followed, their early plans, and what was in vain."""

from __future__ import annotations

import json
from collections.abc import Mapping
from math import isfinite

from pydantic import TypeAdapter

from storage.job_store import redis_keys
from storage.job_store.codec import decode_plan, decode_segment, encode_plan, encode_segment
from storage.job_store.early_contract import (
    FIRST_LOOK_BYTES,
    FOLLOWED_READ,
    LOOK_FACTOR,
    LOST_SECONDS,
    MOST_WASTED,
    WASTE_SECONDS,
)
from storage.job_store.redis_scripts import RedisScripts
from storage.model.early import EarlyPlan, HandedIndex
from storage.model.plan import Plan
from storage.model.record_checks import check_plan, check_segment, expect, number_of, spoiled, task_of
from storage.model.task import Task

_INDEX = TypeAdapter(HandedIndex | None)
_DUE = (redis_keys.WAITING, redis_keys.PLANS, redis_keys.TARGETS)


class RedisEarly(RedisScripts):
    """An EarlyStore on Redis."""

    def issue_early(self, slots: int) -> tuple[Task, ...]:
        """See EarlyStore.issue_early."""
        keys = [*_DUE, redis_keys.HANDED, redis_keys.FOLLOWED, redis_keys.EARLY_OUT, redis_keys.UPLOADS]
        bounds = (LOST_SECONDS, FIRST_LOOK_BYTES, LOOK_FACTOR, FOLLOWED_READ, MOST_WASTED)
        return tuple(self._readable(self._run_alone("early_issue", keys, slots, *bounds), task_of))

    def give_back_early(self, task: Task) -> None:
        """See EarlyStore.give_back_early."""
        self._run("early_back", task.job_id, task.field, task.index)

    def others_wait(self) -> bool:
        """See EarlyStore.others_wait."""
        return bool(self._run_alone("early_others", _DUE))

    def save_early(self, job_id: str, early: EarlyPlan) -> bool:
        """See EarlyStore.save_early."""
        return bool(self._run("early_save", job_id, json.dumps(_fields_of(early))))

    def early(self, job_id: str) -> EarlyPlan | None:
        """See EarlyStore.early."""
        fields = self._redis.call(lambda: self._client.hgetall(redis_keys.of_job("early", job_id)))
        return _early_of(fields, job_id) if "plan" in fields else None

    def planned_early(self, job_id: str) -> Plan | None:
        """See EarlyStore.planned_early."""
        text = self._redis.call(lambda: self._client.hget(redis_keys.of_job("early", job_id), "plan"))
        return None if text is None else _plan_of(text, job_id)

    def forget_early(self, job_id: str) -> None:
        """See EarlyStore.forget_early."""
        self._run("early_end", job_id, WASTE_SECONDS)

    def wasted(self, owner: str) -> float:
        """See EarlyStore.wasted."""
        return float(self._redis.call(lambda: self._client.get(redis_keys.of_owner("wasted", owner))) or 0)


def _fields_of(early: EarlyPlan) -> dict[str, str]:
    segments = zip(early.segments, early.needs, strict=True)
    return {
        "plan": encode_plan(early.plan),
        "audio": "1" if early.plan.audio else "0",
        "index": _INDEX.dump_json(early.index).decode(),
        "slots": str(early.slots),
        "pace": repr(early.pace),
        **{
            name: text
            for segment, need in segments
            for name, text in (
                (f"segment:{segment.index}", encode_segment(segment)),
                (f"need:{segment.index}", str(need)),
            )
        },
    }


def _early_of(fields: Mapping[str, str], job_id: str) -> EarlyPlan:
    plan = _plan_of(fields["plan"], job_id)
    with spoiled(job_id):
        count = plan.segment_count
        segments = tuple(decode_segment(fields[f"segment:{index}"]) for index in range(count))
        needs = tuple(number_of(job_id, fields[f"need:{index}"]) for index in range(count))
        index = _INDEX.validate_json(fields["index"])
        expect(index is None or (index.begin >= 0 and index.size > 0), "index")
        slots, pace = number_of(job_id, fields["slots"]), float(fields["pace"])
        expect(slots > 0 and isfinite(pace), "pace")
    for segment in segments:
        check_segment(segment, job_id)
    return EarlyPlan(plan, segments, needs, index, slots, pace)


def _plan_of(text: str, job_id: str) -> Plan:
    with spoiled(job_id):
        plan = decode_plan(text)
    check_plan(plan, job_id)
    return plan
