"""Results of benches as Markdown, kept under docs/bench and copied from there into docs/benchmarks.md by `make readme`.

Links in them are those of that page, where they are read.
"""

from __future__ import annotations

import datetime as dt
import os
import platform
import subprocess
from collections.abc import Sequence
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "bench"


def markdown_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def kept_rows(name: str, head: Sequence[str]) -> list[list[str]]:
    """Return the rows that docs/bench/`name`.md has under this head, none if it has another one or is not there."""
    path = FOLDER / f"{name}.md"
    text = path.read_text() if path.exists() else ""
    lines = [line[2:-2].split(" | ") for line in text.splitlines() if line.startswith("| ")]
    return lines[2:] if lines[:1] == [list(head)] else []


def merged(rows: Sequence[list[str]], row: list[str], named: int) -> list[list[str]]:
    """Return the rows with another one, in the place of the one with the same first `named` cells if there is one."""
    there = [known[:named] for known in rows]
    at = there.index(row[:named]) if row[:named] in there else len(rows)
    return [*rows[:at], row, *rows[at + 1 :]]


def keep(name: str, command: str, parts: Sequence[str]) -> None:
    """Print the parts under a line that names machine, day and command, and write them to docs/bench/`name`.md."""
    text = "\n\n".join([f"`{command}` on {_machine()}, {dt.datetime.now(tz=dt.UTC):%Y-%m-%d}:", *parts])
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / f"{name}.md").write_text(f"{text}\n")
    print(text)


def _machine() -> str:
    models = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    model = models[0].partition(":")[2].strip() if models else platform.machine()
    version = subprocess.run(["ffmpeg", "-version"], check=True, capture_output=True, text=True).stdout.split()[2]
    return f"{os.cpu_count()} cores of {model}, ffmpeg {version}"
