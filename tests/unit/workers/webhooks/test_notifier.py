"""The notifier's decisions: whom to tell now, when to try again, and what is sent."""

from __future__ import annotations

import json
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from storage import __version__
from storage.job_store.contract import Notice
from storage.model.job import JobError, JobState
from storage.public.job_json import job_json
from tests.support.jobs import make_job
from workers.webhooks.notifier import (
    PAUSES,
    SENDERS,
    SENDERS_EACH,
    body_of,
    choose,
    headers_of,
    pause_after,
    receiver_name,
)
from workers.webhooks.sender import Verdict


def notice(host: str = "a.example", tries: int = 0) -> Notice:
    """Return a notice for a webhook of this host."""
    job = make_job(state=JobState.FAILED, finished_at=1_790_000_001.5, webhook_url=f"https://{host}/hook?secret=1")
    return Notice(job, tries)


def test_few_notices_are_all_sent_at_once() -> None:
    """With senders to spare, each receiver's first notices go out, in the order they fell due."""
    due = [notice("a.example"), notice("b.example"), notice("a.example")]
    assert choose(due, {}).now == tuple(due)
    assert choose(due, {}).back == ()


def test_a_notice_that_is_being_sent_is_not_sent_again() -> None:
    """It stays due in the store until it is settled, and is left alone meanwhile."""
    sent, other = notice("a.example"), notice("b.example")
    chosen = choose([sent, other], {sent.job.id: "a.example"})
    assert (chosen.now, chosen.back) == ((other,), ())


def test_a_receiver_gets_its_share_of_the_senders_only() -> None:
    """What is more goes back, so that the notices of others behind it are seen; so does all while it is busy."""
    crowd = [notice("slow.example") for _ in range(20)]
    other = notice("quick.example")
    chosen = choose([*crowd, other], {})
    assert chosen.now == (*crowd[:SENDERS_EACH], other)
    assert chosen.back == tuple(crowd[SENDERS_EACH:])
    busy = {f"job {number}": "slow.example" for number in range(SENDERS_EACH)}
    assert choose([*crowd, other], busy).now == (other,)


def test_no_more_is_sent_than_there_are_senders() -> None:
    """Notices without a free sender wait where they are, as the next to be sent."""
    due = [notice(f"{number}.example") for number in range(SENDERS + 5)]
    busy = {"some job": "busy.example"}
    assert choose(due, busy).now == tuple(due[: SENDERS - 1])
    assert choose(due, busy).back == ()


def test_ports_are_different_receivers() -> None:
    """A name in logs is host and port, without the path and query that may hold a secret."""
    assert receiver_name(notice("a.example:8443")) == "a.example:8443"


def test_pauses_grow_and_end() -> None:
    """5 s, 30 s, 2 min, 10 min, 1 h; the sixth failure is the last."""
    assert [pause_after(Verdict.FAILED, tries) for tries in range(7)] == [5, 30, 120, 600, 3600, None, None]
    assert list(PAUSES) == sorted(PAUSES)


@pytest.mark.parametrize("verdict", [Verdict.DELIVERED, Verdict.GONE, Verdict.REFUSED])
def test_only_a_failure_is_tried_again(verdict: Verdict) -> None:
    """What was delivered, is unwanted or must not be sent has no next try."""
    assert pause_after(verdict, 0) is None


def test_the_body_is_the_jobs_public_json() -> None:
    """The event is named, and the job looks as it does in the API."""
    job = replace(notice().job, error=JobError("decode_failed", "Ü broke.", "line\nline"))
    assert json.loads(body_of(job)) == {"event": "job.failed", "job": job_json(job)}
    ready = replace(job, state=JobState.READY, error=None)
    assert json.loads(body_of(ready))["event"] == "job.ready"


def test_the_key_stays_for_tries_and_changes_with_the_end() -> None:
    """A receiver that saw the key has seen the notice; after a retry of the job there is another one."""
    job = notice().job
    key = headers_of(job)["Idempotency-Key"]
    assert key == f"{job.id}-failed-1790000001.500000"
    assert headers_of(replace(job, finished_at=1_790_000_001.500001))["Idempotency-Key"] != key
    assert headers_of(replace(job, state=JobState.READY))["Idempotency-Key"] != key


def test_the_sender_says_its_version() -> None:
    """The version in `User-Agent` is the project's."""
    project = tomllib.loads((Path(__file__).parents[4] / "pyproject.toml").read_text())["project"]
    assert __version__ == project["version"]
    assert headers_of(notice().job)["User-Agent"] == f"Rungs/{project['version']}"
