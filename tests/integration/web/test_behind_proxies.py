"""What nginx answers itself, what it passes on, and whose word about TLS is believed."""

from __future__ import annotations

import http.client
import json
import re
from collections.abc import Iterator

import pytest
from babel.support import Translations
from pydantic import SecretStr

from storage.error_sentences import SENTENCES
from storage.model.job import JobState
from storage.objects import keys
from storage.services import Services
from storage.services.connect import connect
from storage.settings import Settings
from tests.support.jobs import make_job, make_plan
from tests.support.nginx import CONF, NginxServer
from tests.support.servers import RedisServer, free_port
from tests.support.web_client import Listening
from tests.support.web_server import WebServer
from web.words.language import TRANSLATIONS

PAGE = {"Accept": "text/html,application/xhtml+xml"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
FILM = bytes(range(250))


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory, redis_server: RedisServer) -> Iterator[WebServer]:
    """Run a web service that believes a proxy of this machine."""
    folder = tmp_path_factory.mktemp("believing")
    server = WebServer(folder, redis_server.url, TRUSTED_PROXIES="127.0.0.1").start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def nginx(tmp_path_factory: pytest.TempPathFactory, web: WebServer) -> Iterator[NginxServer]:
    """Run nginx before it."""
    server = NginxServer(tmp_path_factory.mktemp("nginx"), web.port).start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def lonely(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NginxServer]:
    """Run an nginx whose web service is not there."""
    server = NginxServer(tmp_path_factory.mktemp("lonely"), free_port()).start()
    yield server
    server.stop()


def asked(
    server: Listening, path: str, headers: dict[str, str], body: bytes | None = None, method: str = "GET"
) -> tuple[http.client.HTTPResponse, bytes]:
    """Return the answer and its body."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    try:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return answer, answer.read()
    finally:
        connection.close()


def is_secure(server: Listening, headers: dict[str, str]) -> bool:
    """Tell whether the cookie of the language is for TLS alone."""
    answer, _ = asked(server, "/language", {**FORM, **headers}, b"language=ko", "POST")
    assert answer.status == 303
    return "Secure" in (answer.getheader("Set-Cookie") or "")


@pytest.mark.parametrize(
    ("path", "headers", "status", "code"),
    [
        ("/api/jobs", {"Bad header": "x"}, 400, "bad_request"),
        ("/language", {"Content-Length": "999999"}, 413, "request_too_large"),
    ],
)
def test_nginx_refuses_as_the_web_service_does(
    nginx: NginxServer, path: str, headers: dict[str, str], status: int, code: str
) -> None:
    """With a problem document for tools, and a page in both languages for people."""
    raw = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    connection = http.client.HTTPConnection("127.0.0.1", nginx.port, timeout=30)
    for accept, kind in (("", "application/problem+json"), ("Accept: text/html\r\n", "text/html; charset=utf-8")):
        connection.connect()
        connection.sock.sendall(f"POST {path} HTTP/1.1\r\nHost: localhost\r\n{accept}{raw}\r\n".encode())
        answer = http.client.HTTPResponse(connection.sock)
        answer.begin()
        body = answer.read().decode()
        connection.close()
        assert (answer.status, answer.getheader("Content-Type")) == (status, kind)
        assert SENTENCES[code] in body
        if not accept:
            assert (json.loads(body)["code"], json.loads(body)["status"]) == (code, status)


@pytest.mark.parametrize(
    ("path", "headers", "status", "code"),
    [
        ("/" + "a" * 9000, {}, 414, "address_too_long"),
        ("/", {"Cookie": "a" * 40_000}, 431, "headers_too_large"),
    ],
)
def test_what_browsers_send_too_much_of_is_answered_by_a_page(
    nginx: NginxServer, path: str, headers: dict[str, str], status: int, code: str
) -> None:
    """Whatever was asked for: nginx reads no more of such a head."""
    answer, body = asked(nginx, path, headers)
    assert (answer.status, answer.getheader("Content-Type")) == (status, "text/html; charset=utf-8")
    assert SENTENCES[code] in body.decode()
    assert '<p lang="ko">' in body.decode()


def test_a_web_service_that_is_away_is_an_answer_of_ours(lonely: NginxServer) -> None:
    """502 as a page or as a problem, with the time after which to come back."""
    answer, body = asked(lonely, "/api/jobs", {})
    problem = json.loads(body)
    assert (answer.status, problem["code"], problem["status"]) == (502, "bad_gateway", 502)
    assert answer.getheader("Retry-After") == "5"
    answer, body = asked(lonely, "/", PAGE)
    assert (answer.status, answer.getheader("Content-Type")) == (502, "text/html; charset=utf-8")
    assert "<h1>502</h1>" in body.decode()
    assert "nginx" not in body.decode()


def test_an_answer_of_the_web_service_stays_its_own(nginx: NginxServer) -> None:
    """Its problems and pages are not replaced by nginx'."""
    answer, body = asked(nginx, f"/api/jobs/{'0' * 32}", {})
    assert (answer.status, json.loads(body)["code"]) == (404, "job_not_found")


def test_the_longest_head_of_an_answer_passes(nginx: NginxServer, web: WebServer, redis_url: str) -> None:
    """A title of 200 characters of four bytes, percent-encoded, beside all the policies."""
    services = connect(Settings(redis_url=SecretStr(redis_url), data_dir=web.data), patience=5)
    job = film(services)
    answer, body = asked(nginx, f"/media/{job}/720p.mp4?download", {})
    assert (answer.status, body) == (200, FILM)
    assert len(str(answer.headers)) > 3000


def film(services: Services) -> str:
    """Make a ready job with the longest title, and a file; return its id."""
    job = make_job(state=JobState.READY, plan=make_plan(), title="\U0001f3ac" * 200)
    services.jobs.create(job)
    services.objects.put_bytes(keys.rendition(job.id, "720p.mp4"), FILM, content_type="video/mp4")
    return job.id


def test_only_a_trusted_proxy_says_that_tls_was_used(web_server: WebServer, web: WebServer, nginx: NginxServer) -> None:
    """Cookies are for TLS alone behind a proxy that ends it; a client's own word is worth nothing."""
    told = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https"}
    assert not is_secure(web_server, told)
    assert is_secure(web, told)
    assert not is_secure(web, {})
    assert is_secure(nginx, {"X-Forwarded-Proto": "https"})
    assert not is_secure(nginx, {})


def test_nginx_says_the_sentences_of_the_web_service() -> None:
    """In both languages, each with its code."""
    text = CONF.read_text()
    korean = Translations.load(TRANSLATIONS, ["ko"])
    for name, said in (("refusal_said", str), ("refusal_said_ko", korean.gettext)):
        block = re.search(rf"map \$refusal_code \${name} \{{(.*?)\}}", text, re.DOTALL)
        assert block is not None
        lines = dict(re.findall(r'(\w+) "(.*)";', block[1]))
        assert lines == {code: said(SENTENCES[code]) for code in lines}
        assert set(re.findall(r"^        (?:\d+|default) ([a-z_]+);$", text, re.MULTILINE)) - {"problem"} <= set(lines)
