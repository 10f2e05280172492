"""What is told beside pictures and sound at its times: chapters. Pure."""

from __future__ import annotations

from dataclasses import dataclass

# A film has thirty, a lecture or a day of a conference two hundred. All of them go with each event of a job.
MOST_CHAPTERS = 1000


@dataclass(frozen=True, slots=True)
class Chapter:
    """A named stretch of the job's timeline, in seconds; `title` is empty where the source has none."""

    start: float
    end: float
    title: str
