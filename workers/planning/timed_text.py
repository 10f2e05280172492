"""What a file tells beside pictures and sound, put into its plan: chapters and subtitles. Pure."""

from __future__ import annotations

from dataclasses import replace

from storage.model.job_warnings import warning
from storage.model.plan import Plan
from workers.planning.chapters import chapters_of, on_joined_clock
from workers.planning.facts import Probe, Stream
from workers.planning.subtitles import subtitle_sources, subtitles_left_out


def with_timed_text(plan: Plan, probe: Probe, video: Stream) -> Plan:
    """Return the plan with chapters, tracks of text, and warnings of those that are left out."""
    pieces = plan.video.pieces
    subtitles = subtitle_sources(probe, video, pieces)
    told = on_joined_clock(probe.chapters, pieces)
    lost = len(probe.chapters) - len(told)
    return replace(
        plan,
        chapters=chapters_of(told, plan.video.start_time, plan.duration),
        subtitles=subtitles,
        warnings=(
            *plan.warnings,
            *subtitles_left_out(probe, subtitles, pieces),
            *([warning("chapters_left_out", n=lost)] if lost else []),
        ),
    )
