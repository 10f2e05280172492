"""Wrong clients of the real service: each gets an answer of ours that says whose fault it is, and one answer only."""

from __future__ import annotations

import http.client
import json
import socket

import pytest

from tests.support.waiting import wait_until
from tests.support.web_client import connected
from tests.support.web_server import WebServer
from web.http.security import HEADERS

HOST = b"Host: localhost\r\n"
FORM = b"Content-Type: application/x-www-form-urlencoded\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"


def talk(server: WebServer, sent: bytes, *, more: bool = False) -> tuple[http.client.HTTPResponse, bytes, bytes]:
    """Send these bytes, and without `more` no others; return the answer, its body, and what came after it."""
    with connected(server) as connection:
        connection.sendall(sent)
        if not more:
            connection.shutdown(socket.SHUT_WR)
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        body = answer.read()
        rest = answer.fp.read() if answer.fp is not None else b""
        return answer, body, rest


def last_error(server: WebServer, before: int) -> str:
    """Return what the service logged as its own error since its log had this length."""
    return "\n".join(line for line in server.log()[before:].splitlines() if "[error]" in line)


@pytest.mark.parametrize(
    ("sent", "status", "code"),
    [
        (b"nonsense\r\n\r\n", 400, "bad_request"),
        (b"GET /\r\n\r\n", 400, "bad_request"),
        (b"get / HTTP/1.1\r\n" + HOST + b"\r\n", 400, "bad_request"),
        (b"GET / HTTP/9.9\r\n" + HOST + b"\r\n", 400, "bad_request"),
        (b"GET /\xff HTTP/1.1\r\n" + HOST + b"\r\n", 400, "bad_request"),
        (b"GET http://[::1/ HTTP/1.1\r\n" + HOST + b"\r\n", 400, "bad_request"),
        (b"GET / HTTP/1.1\r\nHost localhost\r\n\r\n", 400, "bad_request"),
        (b"GET / HTTP/1.1\r\n\r\n", 400, "bad_request"),
        (b"GET / HTTP/1.1\r\n" + HOST + HOST + b"\r\n", 400, "bad_request"),
        (b"GET / HTTP/1.1\r\n" + HOST + b"X: a\x00b\r\n\r\n", 400, "bad_request"),
        (b"GET / HTTP/1.1\r\n" + HOST + b"Content-Length: \xb2\r\n\r\n", 400, "bad_request"),
        (b"GET / HTTP/1.1\r\n" + HOST + b"Content-Length: 1\r\n" + CHUNKED + b"\r\nx", 400, "bad_request"),
        (b"GET / HTTP/1.1\r\n" + HOST + b"Expect: miracles\r\n\r\n", 417, "expectation_failed"),
        (b"GET / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: x\r\n\r\n", 501, "not_implemented"),
        (b"GET /healthz HTTP/1.1\r\nHost: evil.example\r\n\r\n", 421, "misdirected_request"),
        (b"GET http://evil.example/healthz HTTP/1.1\r\n" + HOST + b"\r\n", 421, "misdirected_request"),
        (b"CONNECT evil.example:443 HTTP/1.1\r\n" + HOST + b"\r\n", 421, "misdirected_request"),
        (b"OPTIONS * HTTP/1.1\r\n" + HOST + b"\r\n", 404, "not_found"),
        (b"TRACE / HTTP/1.1\r\n" + HOST + b"\r\n", 405, "method_not_allowed"),
        (b"POST /api/jobs HTTP/1.1\r\n" + HOST + b"Origin: http://[::1\r\n\r\n", 403, "cross_site"),
        (b"GET /api/jobs?cursor=%D9%A1 HTTP/1.1\r\n" + HOST + b"\r\n", 400, "invalid_request"),
        (b"GET /api/events?last_event_id=%D9%A1-%D9%A1 HTTP/1.1\r\n" + HOST + b"\r\n", 400, "invalid_request"),
        (b"POST /language HTTP/1.1\r\n" + HOST + FORM + CHUNKED + b"\r\nxyz\r\n\r\n", 400, "bad_request"),
        (b"POST /language HTTP/1.1\r\n" + HOST + FORM + CHUNKED + b"\r\n5\r\nabc", 400, "bad_request"),
    ],
)
def test_a_wrong_request_is_answered_by_us(web_server: WebServer, sent: bytes, status: int, code: str) -> None:
    """With a problem document, the headers of every answer, and no word of an error of ours."""
    before = len(web_server.log())
    answer, body, rest = talk(web_server, sent)
    assert (answer.status, answer.getheader("Content-Type")) == (status, "application/problem+json")
    problem = json.loads(body)
    assert (problem["code"], problem["status"]) == (code, status)
    assert set(HEADERS) <= set(answer.headers)
    assert rest == b""
    assert last_error(web_server, before) == ""


@pytest.mark.parametrize(
    ("sent", "status", "said"),
    [
        (b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\n" + HOST + b"\r\n", 414, "The address is too long."),
        (b"GET / HTTP/1.1\r\n" + HOST + b"Cookie: " + b"a" * 9000 + b"\r\n\r\n", 431, "The headers of the request"),
        (b"GET / HTTP/1.1\r\n" + HOST + b"X: 1\r\n" * 200 + b"\r\n", 431, "The headers of the request"),
    ],
)
def test_what_browsers_send_too_much_of_is_answered_by_a_page(
    web_server: WebServer, sent: bytes, status: int, said: str
) -> None:
    """In both languages, because the one that the visitor chose was not read."""
    answer, body, _ = talk(web_server, sent)
    assert (answer.status, answer.getheader("Content-Type")) == (status, "text/html; charset=utf-8")
    assert said in body.decode()
    assert '<p lang="ko">' in body.decode()
    assert body.decode().count(said) == 1


@pytest.mark.parametrize("name", ["SCRIPT_NAME", "PATH_INFO", "REMOTE_USER", "Script-Name", "Proxy"])
def test_no_header_becomes_a_key_of_the_server(web_server: WebServer, name: str) -> None:
    """A header that looks like one of WSGI's own keys changes nothing."""
    sent = b"GET /healthz HTTP/1.1\r\n" + HOST + name.encode() + b": /elsewhere\r\nConnection: close\r\n\r\n"
    answer, body, _ = talk(web_server, sent)
    assert (answer.status, json.loads(body)) == (200, {"status": "ok"})


@pytest.mark.parametrize("rest", [b"xyz\r\n\r\n", b"5\r\nabcdefgh\r\n0\r\n\r\n", b"-1\r\n\r\n"])
def test_an_answered_request_is_not_answered_again(web_server: WebServer, rest: bytes) -> None:
    """A body that nobody reads may be wrong: the connection ends, without a second answer."""
    before = len(web_server.log())
    answer, _, after = talk(web_server, b"GET /healthz HTTP/1.1\r\n" + HOST + CHUNKED + b"\r\n" + rest, more=True)
    assert (answer.status, after) == (200, b"")
    assert last_error(web_server, before) == ""


def test_a_silent_form_is_the_clients_fault(web_server: WebServer) -> None:
    """Half a form and then nothing: no error of ours."""
    before = len(web_server.log())
    sent = b"POST /language HTTP/1.1\r\n" + HOST + FORM + b"Content-Length: 50\r\n\r\nlanguage="
    answer, body, _ = talk(web_server, sent, more=True)
    assert (answer.status, json.loads(body)["code"]) == (408, "request_too_slow")
    assert last_error(web_server, before) == ""


def test_a_path_forges_no_line_of_the_log(web_server: WebServer) -> None:
    """Line ends, a terminal's escapes and turned directions stay percent-encoded."""
    before = len(web_server.log())
    path = "/nothing%0A12:00:00%20[error]%20forged%1B[31m%E2%80%AE"
    talk(web_server, f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
    wait_until(lambda: "nothing" in web_server.log()[before:], what="the request is logged")
    (line,) = (line for line in web_server.log()[before:].splitlines() if "nothing" in line or "forged" in line)
    assert f"GET {path} " in line
