"""The bench of early work judges what it is to judge, and keeps what it did not measure anew."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.bench import results
from tests.bench.overlap import HEAD, NAMED, Seen, is_wanted
from tests.bench.results import kept_rows, markdown_table, merged

AT_ONCE = Seen(first=3.0, last=1.0, ready=101.0, cpu=200.0)
SOON = Seen(first=8.0, last=200.0, ready=214.0, cpu=205.0)


@pytest.mark.parametrize(
    ("pace", "seen", "well"),
    [
        (0.5, SOON, True),
        (0.5, replace(SOON, ready=215.5), False),
        (0.5, replace(SOON, cpu=207.0), False),
        (0.5, replace(SOON, first=201.0), False),
        (0.5, replace(SOON, first=10.0, last=9.0, ready=20.0), True),
        (1.0, replace(SOON, ready=234.0), True),
        (1.0, replace(SOON, ready=236.0), False),
        (2.0, replace(SOON, ready=290.0), True),
    ],
)
def test_a_row_is_well_within_all_its_bounds(pace: float, seen: Seen, *, well: bool) -> None:
    """The wait by the pace of the line, the CPU seconds, and the first picture of a long sending."""
    assert is_wanted(pace, seen, AT_ONCE) is well


def row(video: str, sent: str, wait: str) -> list[str]:
    """Return a row of the table."""
    return [video, "cli", sent, *[wait] * (len(HEAD) - NAMED)]


def test_a_row_takes_the_place_of_the_older_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All others stay as they are, in the file as in the run."""
    monkeypatch.setattr(results, "FOLDER", tmp_path)
    rows = [row("a", "at once", "1"), row("a", "1 times", "2"), row("b", "at once", "3")]
    text = f"`make bench-overlap` on a machine:\n\n{markdown_table(HEAD, rows)}\n"
    (tmp_path / "overlap.md").write_text(text)
    assert kept_rows("overlap", HEAD) == rows
    assert kept_rows("overlap", HEAD[:-1]) == []
    newer = row("a", "1 times", "9")
    assert merged(rows, newer, NAMED) == [rows[0], newer, rows[2]]
    other = row("a", "2 times", "9")
    assert merged(rows, other, NAMED) == [*rows, other]
