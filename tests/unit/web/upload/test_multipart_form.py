"""The form reader yields exactly what was sent, and accepts only a form that is whole."""

from __future__ import annotations

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage.errors import InvalidRequestError, RungsError, UploadIncompleteError
from web.upload import multipart_form
from web.upload.multipart_form import FIELD_BYTES, MAX_PARTS, FileBytes, FileStart, FormEvent, TextField, read_form

BOUNDARY = "edge"


def part(name: str, content: bytes, filename: str | None = None, extra: str = "") -> bytes:
    """Return one part as a browser sends it."""
    file = "" if filename is None else f'; filename="{filename}"'
    head = f'--edge\r\nContent-Disposition: form-data; name="{name}"{file}\r\n{extra}\r\n'
    return head.encode() + content + b"\r\n"


def body_of(*parts: bytes) -> bytes:
    """Return a whole form."""
    return b"".join(parts) + b"--edge--\r\n"


def events_of(body: bytes, *, step: int = 1 << 20, announced: int | None = None) -> list[FormEvent]:
    """Read a body that arrives in pieces of at most `step` bytes."""
    stream = io.BytesIO(body)
    return list(read_form(lambda size: stream.read(min(size, step)), BOUNDARY, announced=announced))


def file_of(events: list[FormEvent]) -> bytes:
    """Return the bytes of all files together."""
    return b"".join(event.data for event in events if isinstance(event, FileBytes))


@settings(deadline=None)
@given(content=st.binary(max_size=300), step=st.integers(min_value=1, max_value=80), text=st.text(max_size=40))
def test_the_file_arrives_byte_for_byte(content: bytes, step: int, text: str) -> None:
    """However the body is cut into reads, file and fields come out as they went in."""
    if b"--edge" in content:
        return
    body = body_of(part("title", text.encode()), part("file", content, "a.mp4"))
    events = events_of(body, step=step, announced=len(body))
    assert events[0] == TextField("title", text)
    assert FileStart("file", "a.mp4") in events
    assert file_of(events) == content


@pytest.mark.parametrize("content", [b"\r\n", b"\r\n--edg", b"\n--edge\r", b"--edge--", b"\r\r\n-", b"--edge\r\n"])
def test_what_looks_like_a_boundary_is_data_until_it_is_one(content: bytes) -> None:
    """Line breaks and beginnings of boundaries inside a file are kept, one byte at a time too."""
    body = body_of(part("file", b"a" + content + b"Z", "a.mp4"))
    for step in (1, 7, 1 << 20):
        assert file_of(events_of(body, step=step)) == b"a" + content + b"Z"


def test_fields_may_follow_the_file() -> None:
    """The order of the parts is the sender's choice."""
    events = events_of(body_of(part("file", b"x", "a.mp4"), part("title", "日本".encode())))
    assert events[-1] == TextField("title", "日本")


@given(st.integers(min_value=0, max_value=10_000))
def test_a_form_cut_anywhere_is_incomplete(cut: int) -> None:
    """Every proper beginning of a form is refused, with and without an announced length."""
    whole = body_of(part("title", b"t"), part("file", b"x" * 40, "a.mp4"))
    closing = len(whole) - len(b"\r\n")  # the line break after the closing boundary says nothing more
    cut %= closing
    for announced in (None, len(whole)):
        with pytest.raises(RungsError) as caught:
            events_of(whole[:cut], announced=announced)
        assert isinstance(caught.value, UploadIncompleteError)


def test_fewer_bytes_than_announced_are_incomplete_even_behind_the_closing_boundary() -> None:
    """The count must be right, not only the form."""
    whole = body_of(part("file", b"x", "a.mp4"))
    with pytest.raises(UploadIncompleteError):
        events_of(whole, announced=len(whole) + 1)


@pytest.mark.parametrize(
    "body",
    [
        body_of(part("title", b"x" * (FIELD_BYTES + 1))),
        body_of(part("file", b"x", "a.mp4", extra=f"X-Long: {'y' * 9000}\r\n")),
        body_of(*(part(f"f{index}", b"") for index in range(MAX_PARTS + 1))),
        body_of(part("title", b"\xff\xfe")),
        b"--edge\r\nContent-Type: text/plain\r\n\r\nx\r\n--edge--\r\n",
        b"\r\n".join([b"--edge", b'Content-Disposition: attachment; name="a"', b"", b"x", b"--edge--", b""]),
        body_of(part("file", b"x\r\n--edgeX\r\n", "a.mp4")),
        b"x" * 200_000 + body_of(part("file", b"x", "a.mp4")),
        body_of(part("file", b"x", "a.mp4")) + b"x" * 200_000,
        b'--edge\r\nContent-Disposition: form-data; name="\xff"\r\n\r\nx\r\n--edge--\r\n',
    ],
    ids=[
        "long field",
        "long headers",
        "many parts",
        "no text",
        "no disposition",
        "wrong disposition",
        "boundary inside",
        "long preamble",
        "long epilogue",
        "name not UTF-8",
    ],
)
def test_what_goes_over_a_limit_or_is_malformed_is_refused(body: bytes) -> None:
    """Each limit and each malformation has its error."""
    with pytest.raises(InvalidRequestError):
        events_of(body)


def test_an_endless_preamble_or_header_is_refused_in_bounded_memory() -> None:
    """A body that never comes to the point is refused before three reads of it are held."""
    reads = 0

    def read(size: int) -> bytes:
        nonlocal reads
        reads += 1
        return b"x" * size

    with pytest.raises(InvalidRequestError):
        list(read_form(read, BOUNDARY, announced=None))
    assert reads <= 3


def test_pieces_are_never_larger_than_a_read_and_a_boundary() -> None:
    """The reader holds one read of the body, so its pieces are as small."""
    body = body_of(part("file", b"\n" * (3 << 20), "a.mp4"))
    sizes = [len(event.data) for event in events_of(body) if isinstance(event, FileBytes)]
    assert max(sizes) <= multipart_form.READ_BYTES + len(BOUNDARY) + 4
