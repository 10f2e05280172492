"""Originals that came in parts: which parts hold what, and which objects are none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.errors import ObjectNotFoundError
from storage.objects import keys
from storage.objects.s3_composed import Composition, Compositions

SIZE, PART_BYTES = "x-amz-meta-rungs-size", "x-amz-meta-rungs-part-bytes"
JOB = "0" * 32


@given(size=st.integers(1, 300), part_bytes=st.integers(1, 50), start=st.integers(0, 320), length=st.integers(0, 320))
def test_pieces_are_the_bytes_that_are_asked_for(size: int, part_bytes: int, start: int, length: int) -> None:
    """Each once, in order, and none behind the end."""
    pieces = list(Composition(size, part_bytes).pieces(start, start + length))
    found = [index * part_bytes + offset + number for index, offset, count in pieces for number in range(count)]
    assert found == list(range(start, min(start + length, size)))
    assert all(count > 0 and offset + count <= part_bytes for _, offset, count in pieces)


@pytest.mark.parametrize(
    "metadata",
    [{}, {SIZE: "5"}, *({SIZE: size, PART_BYTES: "5"} for size in ("", "0", "-5", "5.0", "\u0665", "9" * 16))],
)
def test_other_objects_are_what_they_seem(metadata: dict[str, str]) -> None:
    """Whatever stands in their headers."""
    assert Composition.told_by(metadata) is None


def test_what_is_told_is_understood() -> None:
    """The headers of one tell it."""
    made_up = Composition(12_345, 8)
    assert Composition.told_by({**made_up.metadata, "etag": "x"}) == made_up


def test_only_originals_are_asked_for_and_once() -> None:
    """A request each time would cost players of segments half as much again; what is missing may come later."""
    asked: list[str] = []

    def ask(key: str) -> Composition | None:
        asked.append(key)
        if len(asked) == 1:
            raise ObjectNotFoundError
        return Composition(10, 5)

    known, original = Compositions(ask), keys.original(JOB)
    for key in (keys.manifest(JOB), keys.segment(JOB, "480p", 0), keys.upload_part(JOB, 0), "originals/original"):
        assert known.of(key) is None
    with pytest.raises(ObjectNotFoundError):
        known.of(original)
    assert known.of(original) == known.of(original) == Composition(10, 5)
    assert asked == [original, original]
