"""The notifier: tells webhooks that jobs are ready or have failed, at least once, and bothers nobody else with it.

What is to be told stands in the job store since the very move that made it true; here are only rounds over what is due.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

import structlog

from storage import __version__
from storage.errors import BusyError
from storage.faults import of_one_job
from storage.job_store.contract import Notice, UpkeepStore
from storage.model.job import Job
from storage.objects.contract import ObjectStore
from storage.public.job_json import job_json
from storage.services.whole_jobs import whole_job
from workers.rounds import Rounds
from workers.webhooks.sender import Answer, Verdict, receiver_of

ROUND_SECONDS = 1.0  # people who wait for a notice notice no less
ROLE_SECONDS = 5.0  # a dead notifier's successor starts so much later; above the patience of a round
SENDERS = 8  # notices sent at once
SENDERS_EACH = 2  # of them to one receiver: a slow one with many jobs leaves room for others
NOTICES_READ = 32  # in one round: beyond those being sent, enough to find one of another receiver
CROWDED_SECONDS = 5.0  # how far a notice goes back whose receiver has its share of the senders
AWAY_SECONDS = 5.0  # how far a notice goes back whose job cannot be read whole, as the object store is away
PAUSES = (5.0, 30.0, 120.0, 600.0, 3600.0)  # seconds before each further try: time for a restart, then for a person

_log = structlog.get_logger()


class Sending(Protocol):
    """Sends one POST and says what came of it."""

    def post(self, url: str, headers: dict[str, str], body: bytes) -> Answer:
        """See WebhookSender.post."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Which of the notices that are due to send now, and which to put back for the sake of others."""

    now: tuple[Notice, ...]
    back: tuple[Notice, ...]


def choose(due: Sequence[Notice], sending: Mapping[str, str]) -> Choice:
    """Return what to do with the due notices; those in neither group just wait for a free sender.

    `sending` is what is being sent: receivers by job id.
    """
    each = Counter(sending.values())
    now, back = [], []
    for notice in due:
        receiver = receiver_name(notice)
        if notice.job.id in sending:
            continue
        if each[receiver] >= SENDERS_EACH:
            back.append(notice)
        elif each.total() < SENDERS:
            each[receiver] += 1
            now.append(notice)
    return Choice(tuple(now), tuple(back))


def pause_after(verdict: Verdict, tries: int) -> float | None:
    """Return the seconds from this try, before which `tries` failed, to the next one; None if it was the last."""
    return PAUSES[tries] if verdict is Verdict.FAILED and tries < len(PAUSES) else None


def receiver_name(notice: Notice) -> str:
    """Return host and port of the webhook: path and query may hold secrets and stay out of logs."""
    return receiver_of(_url(notice)).authority


def headers_of(job: Job) -> dict[str, str]:
    """Return the headers of a notice; the key is the same for every try at it and differs after a retry of the job."""
    return {
        "User-Agent": f"Rungs/{__version__}",
        "Content-Type": "application/json",
        "Idempotency-Key": f"{job.id}-{job.state}-{job.finished_at:.6f}",
    }


def body_of(job: Job) -> bytes:
    """Return the notice as JSON: `event` and, as the API shows it, `job`."""
    return json.dumps({"event": f"job.{job.state}", "job": job_json(job)}).encode()


class Notifier:
    """Makes a round every second as long as it holds the role; `stop` ends it after what is being sent."""

    def __init__(self, jobs: UpkeepStore, objects: ObjectStore, sender: Sending) -> None:
        self._jobs = jobs
        self._objects = objects
        self._sender = sender
        self._sending: dict[str, tuple[str, Future[None]]] = {}  # receivers by job id; only the rounds' thread uses it
        self._rounds = Rounds(jobs, "notifier", seconds=ROUND_SECONDS, role_seconds=ROLE_SECONDS)

    def run(self) -> None:
        """Make rounds until stopped; neither an outage nor a fault in a round is a reason to die."""
        with ThreadPoolExecutor(SENDERS, thread_name_prefix="webhook") as senders:
            self._rounds.run(lambda: self._make_round(senders))

    def stop(self) -> None:
        """End after the present round and what is being sent."""
        self._rounds.stop()

    def _make_round(self, senders: ThreadPoolExecutor) -> None:
        # Before the store is asked: what ends in between is still known as being sent, and not sent twice.
        self._forget_sent()
        due = self._jobs.due_notices(NOTICES_READ)
        choice = choose(due, {job_id: receiver for job_id, (receiver, _) in self._sending.items()})
        for notice in choice.now:
            self._sending[notice.job.id] = (receiver_name(notice), senders.submit(self._tell, notice))
        for notice in choice.back:
            with of_one_job("notice", notice.job.id, self._jobs.count_fault):
                self._jobs.postpone_notice(notice, seconds=CROWDED_SECONDS, failed=False)

    def _forget_sent(self) -> None:
        ended = {job_id: future for job_id, (_, future) in self._sending.items() if future.done()}
        for job_id, future in ended.items():
            del self._sending[job_id]
            with of_one_job("notice", job_id, self._jobs.count_fault):
                future.result()  # a fault of ours is not to be lost with its thread

    def _tell(self, notice: Notice) -> None:
        try:
            answer = self._answer(notice)
        except BusyError:
            self._jobs.postpone_notice(notice, seconds=AWAY_SECONDS, failed=False)
            return
        pause = pause_after(answer.verdict, notice.tries)
        log = _log.bind(job=notice.job.id, receiver=receiver_name(notice), verdict=str(answer.verdict))
        log = log.bind(detail=answer.detail, tries=notice.tries + 1)
        try:
            if pause is None:
                self._jobs.end_notice(notice)
            else:
                self._jobs.postpone_notice(notice, seconds=pause, failed=True)
        except BusyError as error:
            log.warning("webhook's answer could not be kept, it will be told again", error=str(error))
            return
        if answer.verdict is Verdict.DELIVERED:
            log.info("webhook told")
        elif pause is None:
            log.warning("webhook given up")
        else:
            log.warning("webhook not told yet", next_try_seconds=pause)

    def _answer(self, notice: Notice) -> Answer:
        """Send the notice, once. Raises BusyError while the store is away that has the rest of the job."""
        try:
            job = whole_job(self._objects, notice.job, self._jobs.count_fault)
            return self._sender.post(_url(notice), headers_of(job), body_of(job))
        except BusyError:
            raise
        except Exception:  # noqa: BLE001 - it must count as a try, or it would be made again for ever
            _log.exception("webhook could not be posted", job=notice.job.id)
            return Answer(Verdict.FAILED, "A fault of ours.")


def _url(notice: Notice) -> str:
    assert notice.job.webhook_url is not None  # noqa: S101 - only jobs that have one have notices
    return notice.job.webhook_url
