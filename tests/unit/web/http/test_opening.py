"""A request is whole with its head, and a form with its body; an upload does not wait for its film."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from web.http.opening import FORM_BYTES, HEAD_BYTES, HeadStage, Opening

GET = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"


def post(path: str, *lines: str) -> bytes:
    """Return the head of a POST."""
    return "\r\n".join([f"POST {path} HTTP/1.1", "Host: localhost", *lines, "", ""]).encode()


FORM = post("/language", "content-length: 11")


@pytest.mark.parametrize(
    ("sent", "arrival"),
    [
        (b"", HeadStage.PARTIAL),
        (GET[:-1], HeadStage.PARTIAL),
        (GET, HeadStage.WHOLE),
        (b"\r\n" + GET, HeadStage.WHOLE),
        (GET + b"GET /", HeadStage.WHOLE),
        (FORM, HeadStage.PARTIAL),
        (FORM + b"language=k", HeadStage.PARTIAL),
        (FORM + b"language=ko", HeadStage.WHOLE),
        (post("/language", "Content-Length: 11", "Expect: 100-continue"), HeadStage.WHOLE),
        (post("/language", "Transfer-Encoding: chunked"), HeadStage.WHOLE),
        (post("/language", f"Content-Length: {FORM_BYTES + 1}"), HeadStage.WHOLE),
        (post("/api/jobs", "Content-Length: 200"), HeadStage.WHOLE),
        (post("/api/jobs?a=b", "Content-Length: 200"), HeadStage.WHOLE),
        (post("/api/jobs/1/retry", "Content-Length: 200"), HeadStage.PARTIAL),
        (post("/api/uploads", "Content-Length: 200"), HeadStage.WHOLE),
        (post("/api/uploads/1", "Content-Length: 200").replace(b"POST", b"PATCH"), HeadStage.WHOLE),
        (post("/api/uploads/1/index", "Content-Length: 200").replace(b"POST", b"PUT"), HeadStage.WHOLE),
        (post("/api/uploadsx", "Content-Length: 200"), HeadStage.PARTIAL),
        (post("/api/jobs", "Content-Length: 200").replace(b"POST", b"PUT"), HeadStage.PARTIAL),
        (b"GET / HTTP/1.1\nHost: localhost\n\n", HeadStage.NO_HEAD),
        (b"x" * (HEAD_BYTES + 1), HeadStage.TOO_LONG),
    ],
)
def test_how_far_a_request_has_come(sent: bytes, arrival: HeadStage) -> None:
    """Sent at once."""
    assert Opening(sent).arrival is arrival


@given(st.sampled_from([GET, b"\r\n" + GET, FORM + b"language=ko"]), st.lists(st.integers(1, 40)))
def test_pieces_make_no_difference(sent: bytes, sizes: list[int]) -> None:
    """It is whole with its last byte and not before, however it was cut."""
    opening, at = Opening(), 0
    for size in [*sizes, len(sent)]:
        piece = sent[at : at + size]
        at += size
        opening.take(piece)
        assert opening.arrival is (HeadStage.WHOLE if at >= len(sent) else HeadStage.PARTIAL)
    assert bytes(opening.data) == sent
