"""Webhooks end to end: jobs that end in a real Redis, and real receivers on loopback, good, slow, failing and dying."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any, Protocol

import pytest
from structlog.testing import capture_logs

from storage.job_store.contract import JobStore
from storage.job_store.redis_store import RedisJobStore
from storage.model.job import Changes, Job, JobError, JobState
from storage.public.job_json import job_json
from storage.services import Services
from storage.settings import Settings
from tests.support.certificates import make_certificate
from tests.support.jobs import created, with_plan
from tests.support.receivers import ReceiverServer, answer, in_turn
from tests.support.servers import RedisServer
from tests.support.waiting import wait_until
from tests.support.worker_server import WorkerServer
from workers.janitor.saving import save_ended
from workers.webhooks import notifier as notify
from workers.webhooks import sender
from workers.webhooks.notifier import Notifier
from workers.webhooks.sender import Verdict, WebhookSender

MANY = 100
HEADERS = {"Content-Type": "application/json"}


class Notifying(Protocol):
    """Starts a notifier."""

    def __call__(self, *, allow_private: bool = True) -> None:
        """Start one that may call loopback, or may not."""


@pytest.fixture
def jobs(services: Services) -> JobStore:
    """Give a job store on a real Redis."""
    return services.jobs


@pytest.fixture
def notifying(jobs: JobStore, services: Services, monkeypatch: pytest.MonkeyPatch) -> Iterator[Notifying]:
    """Give a starter of notifiers that may call loopback, with quick rounds and pauses; they are stopped at the end."""
    monkeypatch.setattr(notify, "ROUND_SECONDS", 0.05)
    monkeypatch.setattr(notify, "PAUSES", (0.05, 0.1, 0.2))
    monkeypatch.setattr(notify, "CROWDED_SECONDS", 0.1)
    monkeypatch.setattr(sender, "WHOLE_SECONDS", 1.5)
    running: list[tuple[Notifier, threading.Thread]] = []

    def start(*, allow_private: bool = True) -> None:
        notifier = Notifier(jobs, services.objects, WebhookSender(allow_private=allow_private))
        thread = threading.Thread(target=notifier.run)
        thread.start()
        running.append((notifier, thread))

    yield start
    for notifier, _ in running:
        notifier.stop()
    for _, thread in running:
        thread.join(10)
        assert not thread.is_alive()


def failed(jobs: JobStore, url: str) -> Job:
    """Let a job with this webhook fail."""
    job = created(jobs, webhook_url=url)
    return jobs.move(job.id, JobState.FAILED, Changes(error=JobError("decode_failed", "It broke.", "last line")))


def ready(jobs: JobStore, url: str) -> Job:
    """Let a job with this webhook become ready."""
    job = created(jobs, webhook_url=url)
    jobs.move(job.id, JobState.PLANNING)
    jobs.move(job.id, JobState.ENCODING, with_plan())
    jobs.move(job.id, JobState.PACKAGING)
    return jobs.move(job.id, JobState.READY)


def pending(jobs: JobStore) -> int:
    """Return how many notices the store holds, due or not; the contract shows only those that are due."""
    assert isinstance(jobs, RedisJobStore)
    return int(jobs._client.zcard("rungs:notices"))


def hang(handler: BaseHTTPRequestHandler) -> None:
    """Answer nothing until the caller hangs up."""
    handler.connection.recv(1)


def die(handler: BaseHTTPRequestHandler) -> None:
    """Close the connection instead of an answer."""
    handler.connection.shutdown(socket.SHUT_RDWR)


def drip(handler: BaseHTTPRequestHandler) -> None:
    """Answer byte by byte, each within any timeout of a socket, and never finish."""
    while True:
        handler.wfile.write(b"H")
        time.sleep(0.1)


def test_both_ends_of_a_job_are_told(jobs: JobStore, notifying: Notifying) -> None:
    """Each is one POST with the job as the API shows it and with its headers; then nothing is left to tell."""
    notifying()
    with ReceiverServer() as receiver:
        done, broken = ready(jobs, receiver.url("/hook?token=abc")), failed(jobs, receiver.url())
        wait_until(lambda: len(receiver.told) == 2, what="two notices")
        wait_until(lambda: jobs.due_notices(MANY) == (), what="the end of both")
    told = {request.job_id: request for request in receiver.told}
    first, second = told[done.id], told[broken.id]
    assert (first.method, first.path) == ("POST", "/hook?token=abc")
    assert first.headers["Host"] == f"127.0.0.1:{receiver.port}"
    assert first.headers["Content-Type"] == "application/json"
    assert first.headers["User-Agent"].startswith("Rungs/")
    assert (first.json["event"], first.json["job"]["state"]) == ("job.ready", "ready")
    assert (second.json["event"], second.json["job"]["error"]["code"]) == ("job.failed", "decode_failed")
    assert first.headers["Idempotency-Key"] != second.headers["Idempotency-Key"]


def test_a_webhook_is_told_the_whole_of_a_slim_job(services: Services, jobs: JobStore, notifying: Notifying) -> None:
    """What its record no longer has comes from its objects."""
    with ReceiverServer() as receiver:
        broken = failed(jobs, receiver.url())
        assert save_ended(services) == 1
        assert jobs.get(broken.id).slim is not None
        notifying()
        wait_until(lambda: receiver.told, what="the notice")
        wait_until(lambda: pending(jobs) == 0, what="its end")
    assert receiver.told[0].json["job"] == job_json(broken)


@pytest.mark.parametrize("fault", [answer(500), answer(404), die, drip, hang])
def test_a_faulty_receiver_is_told_again(
    fault: Callable[[BaseHTTPRequestHandler], None], jobs: JobStore, notifying: Notifying
) -> None:
    """Whatever went wrong, the next try has the same key and the same body."""
    notifying()
    with ReceiverServer(in_turn(fault, fault, answer(204))) as receiver:
        failed(jobs, receiver.url())
        wait_until(lambda: len(receiver.told) == 3, what="the third try")
        wait_until(lambda: pending(jobs) == 0, what="the end of the notice")
    assert len({request.headers["Idempotency-Key"] for request in receiver.told}) == 1
    assert len({request.body for request in receiver.told}) == 1


def test_a_receiver_that_never_says_yes_is_given_up(jobs: JobStore, notifying: Notifying) -> None:
    """After the last pause there is one more try, and then none."""
    notifying()
    with ReceiverServer(answer(503)) as receiver:
        failed(jobs, receiver.url())
        wait_until(lambda: pending(jobs) == 0, what="giving up")
        assert len(receiver.told) == len(notify.PAUSES) + 1


def test_nobody_at_home_is_a_failed_try(jobs: JobStore, notifying: Notifying) -> None:
    """A closed port and a name that does not exist are tried again and given up, without an error of ours."""
    notifying()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    failed(jobs, f"http://127.0.0.1:{port}/")
    failed(jobs, f"http://{'a' * 70}.invalid/")
    wait_until(lambda: pending(jobs) == 0, what="giving up")


def test_gone_ends_it_at_once(jobs: JobStore, notifying: Notifying) -> None:
    """A receiver that answers 410 hears nothing more of this job."""
    notifying()
    with ReceiverServer(answer(410)) as receiver:
        failed(jobs, receiver.url())
        wait_until(lambda: receiver.told and pending(jobs) == 0, what="the end of the notice")
        assert len(receiver.told) == 1


def test_redirects_are_not_followed(jobs: JobStore, notifying: Notifying) -> None:
    """The place a redirect names is never called, as it was never checked."""
    notifying()
    with ReceiverServer() as target, ReceiverServer(answer(307, Location=target.url())) as receiver:
        failed(jobs, receiver.url())
        wait_until(lambda: pending(jobs) == 0, what="giving up")
        assert len(receiver.told) == len(notify.PAUSES) + 1
        assert target.told == []


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]", "0"])
def test_private_receivers_are_refused(host: str, jobs: JobStore, notifying: Notifying) -> None:
    """Unless the settings allow it, nothing is sent to what is not public, however it is written."""
    with ReceiverServer() as receiver:
        failed(jobs, receiver.url(host=host))
        notifying(allow_private=False)
        wait_until(lambda: pending(jobs) == 0, what="the refusal")
        assert receiver.told == []


def test_a_name_is_looked_up_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was checked is what is connected to: a name that changes its address in between changes nothing."""
    looked_up: list[str] = []
    real = socket.getaddrinfo

    def changing(host: str, *arguments: Any, **options: Any) -> object:
        looked_up.append(host)
        return real("127.0.0.1" if looked_up.count(host) == 1 else "192.0.2.1", *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", changing)
    with ReceiverServer() as receiver:
        url = receiver.url(host="rebinding.example")
        assert WebhookSender(allow_private=True).post(url, HEADERS, b"{}").verdict is Verdict.DELIVERED
        assert receiver.told[0].headers["Host"] == f"rebinding.example:{receiver.port}"
    assert looked_up.count("rebinding.example") == 1


def test_the_next_address_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    """A host whose first address does not answer is reached at its second."""
    monkeypatch.setattr(sender, "_resolved", lambda _: ["127.0.0.2", "127.0.0.1"])
    with ReceiverServer() as receiver:
        url = receiver.url(host="two.example")
        assert WebhookSender(allow_private=True).post(url, HEADERS, b"{}").verdict is Verdict.DELIVERED


def test_a_receiver_may_think_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    """The time to connect is not the time to answer."""
    monkeypatch.setattr(sender, "CONNECT_SECONDS", 0.2)

    def think(handler: BaseHTTPRequestHandler) -> None:
        time.sleep(1)
        answer(200)(handler)

    with ReceiverServer(think) as receiver:
        assert WebhookSender(allow_private=True).post(receiver.url(), HEADERS, b"{}").verdict is Verdict.DELIVERED


def test_an_endless_answer_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """The status decides; of the body only so much is taken, in no more than the whole time."""
    monkeypatch.setattr(sender, "WHOLE_SECONDS", 1.0)

    def flood(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        while True:
            handler.wfile.write(bytes(65536))

    def trickle(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        while True:
            handler.wfile.write(b"x")
            time.sleep(0.05)

    for behaviour in (flood, trickle):
        with ReceiverServer(behaviour) as receiver:
            began = time.monotonic()
            assert WebhookSender(allow_private=True).post(receiver.url(), HEADERS, b"{}").verdict is Verdict.DELIVERED
            assert time.monotonic() - began < sender.WHOLE_SECONDS + 5


def test_a_slow_receiver_does_not_hold_up_the_others(jobs: JobStore, notifying: Notifying) -> None:
    """With forty notices for one that hangs ahead of it, another's notice arrives long before those are over."""
    notifying()
    with ReceiverServer(hang) as slow, ReceiverServer() as quick:
        for _ in range(40):
            failed(jobs, slow.url())
        wait_until(lambda: slow.told, what="the slow receiver's first notice")
        last = failed(jobs, quick.url())
        wait_until(lambda: quick.told, seconds=5, what="the quick receiver's notice")
        assert quick.told[0].job_id == last.id
        assert len(slow.told) <= 5 * notify.SENDERS_EACH


def test_of_two_notifiers_one_tells(jobs: JobStore, notifying: Notifying) -> None:
    """Twenty ends of jobs are told twenty times."""
    with ReceiverServer() as receiver:
        for _ in range(20):
            failed(jobs, receiver.url())
        notifying()
        notifying()
        wait_until(lambda: pending(jobs) == 0, what="the end of all notices")
        assert len({told.job_id for told in receiver.told}) == len(receiver.told) == 20


def test_an_outage_of_redis_loses_no_notice(
    jobs: JobStore,
    notifying: Notifying,
    redis_server: RedisServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Killed while a notice waits for its next try and started again, Redis still has it, and the notifier goes on."""
    monkeypatch.setattr(notify, "PAUSES", (0.5,) * 40)
    notifying()
    recovered = threading.Event()

    def refuse_at_first(handler: BaseHTTPRequestHandler) -> None:
        answer(200 if recovered.is_set() else 500)(handler)

    with ReceiverServer(refuse_at_first) as receiver:
        job = failed(jobs, receiver.url())
        wait_until(lambda: receiver.told, what="the first try")
        redis_server.kill()
        redis_server.start()
        recovered.set()
        wait_until(lambda: pending(jobs) == 0, what="the end of the notice", seconds=20)
        assert receiver.told[-1].job_id == job.id


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """Give the server side of TLS for `hooks.example`, by a certificate that this process trusts."""
    certificate, key = make_certificate(tmp_path, "DNS:hooks.example")
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    monkeypatch.setattr(sender, "_resolved", lambda _: ["127.0.0.1"])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context


def test_tls_is_spoken_to_the_host_not_the_address(authority: ssl.SSLContext) -> None:
    """The certificate of the name is good though an address was connected to; for another name it is not."""
    names: list[str | None] = []
    authority.sni_callback = lambda _socket, name, _context: names.append(name)
    with ReceiverServer(tls=authority) as receiver:
        sender = WebhookSender(allow_private=True)
        good = sender.post(receiver.url(host="hooks.example"), HEADERS, b"{}")
        wrong = sender.post(receiver.url(host="other.example"), HEADERS, b"{}")
    assert (good.verdict, wrong.verdict) == (Verdict.DELIVERED, Verdict.FAILED)
    assert names == ["hooks.example", "other.example"]
    assert "certificate" in wrong.detail.lower()
    assert len(receiver.told) == 1


def test_an_unknown_authority_is_not_trusted(authority: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is sent to a receiver that cannot prove who it is."""
    monkeypatch.delenv("SSL_CERT_FILE")
    with ReceiverServer(tls=authority) as receiver:
        refused = WebhookSender(allow_private=True).post(receiver.url(host="hooks.example"), HEADERS, b"{}")
    assert refused.verdict is Verdict.FAILED
    assert receiver.told == []


def test_a_tls_handshake_that_never_ends_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that takes the connection and says nothing costs the time to connect, no more."""
    monkeypatch.setattr(sender, "CONNECT_SECONDS", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        began = time.monotonic()
        url = f"https://127.0.0.1:{silent.getsockname()[1]}/"
        assert WebhookSender(allow_private=True).post(url, HEADERS, b"{}").verdict is Verdict.FAILED
        assert time.monotonic() - began < sender.WHOLE_SECONDS


def test_a_webhooks_secret_stays_out_of_the_logs(
    jobs: JobStore, notifying: Notifying, caplog: pytest.LogCaptureFixture
) -> None:
    """Of the URL, logs show host and port, whether the receiver answers, fails or talks nonsense."""

    def babble(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"HTTP/1.1 500 Babel\r\nno header at all\r\n\r\n")

    with ReceiverServer(in_turn(babble, die, answer(200))) as receiver, capture_logs() as lines:
        notifying()
        failed(jobs, receiver.url("/hook/s3cret?token=s3cret"))
        wait_until(lambda: any(line["event"] == "webhook told" for line in lines), what="the last line")
    assert len(receiver.told) == 3
    assert {line["receiver"] for line in lines} == {f"127.0.0.1:{receiver.port}"}
    assert "s3cret" not in f"{lines} {caplog.text}"


def test_a_killed_janitor_tells_after_its_restart(
    jobs: JobStore, real_settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Kill -9 between a job's end and its notice, and in the middle of one: both are told by the next process."""
    monkeypatch.setenv("ALLOW_PRIVATE_WEBHOOKS", "true")
    janitor = WorkerServer(tmp_path / "janitor", "janitor", real_settings)
    with ReceiverServer(in_turn(hang, answer(200))) as receiver:
        try:
            janitor.start()
            first = failed(jobs, receiver.url())
            wait_until(lambda: receiver.told, what="a notice that is being sent")
            janitor.kill()
            second = ready(jobs, receiver.url())
            janitor.start()
            wait_until(lambda: len(receiver.told) >= 3, seconds=30, what="both notices")
            wait_until(lambda: pending(jobs) == 0, what="their end")
            janitor.stop()
        finally:
            janitor.stop_if_running()
    assert {told.job_id for told in receiver.told[1:]} == {first.id, second.id}
    again = next(told for told in receiver.told[1:] if told.job_id == first.id)
    assert again.headers["Idempotency-Key"] == receiver.told[0].headers["Idempotency-Key"]


def test_a_janitor_ends_while_a_receiver_hangs(
    jobs: JobStore, real_settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SIGTERM in the middle of a notice: the process ends in good order within the notice's whole time."""
    monkeypatch.setenv("ALLOW_PRIVATE_WEBHOOKS", "true")
    janitor = WorkerServer(tmp_path / "janitor", "janitor", real_settings)
    with ReceiverServer(hang) as receiver:
        try:
            janitor.start()
            failed(jobs, receiver.url())
            wait_until(lambda: receiver.told, what="a notice that is being sent")
            began = time.monotonic()
            janitor.stop()
            assert time.monotonic() - began < sender.WHOLE_SECONDS + 5
        finally:
            janitor.stop_if_running()
    assert "webhook not told yet" in janitor.log()
    assert pending(jobs) == 1
