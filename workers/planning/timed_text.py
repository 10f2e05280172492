"""What a file tells beside pictures and sound, put into its plan: chapters and subtitles. Pure."""

from __future__ import annotations

from dataclasses import replace

from storage.model.plan import Plan
from workers.planning.chapters import chapters_of
from workers.planning.facts import Probe, Stream
from workers.planning.subtitles import subtitle_sources, subtitles_left_out


def with_timed_text(plan: Plan, probe: Probe, video: Stream, *, joined: bool) -> Plan:
    """Return the plan with chapters, tracks of text, and warnings of those that are left out.

    Neither is taken of a file whose clock is `joined` from parts: a time does not tell to which of them it belongs.
    """
    subtitles = () if joined else subtitle_sources(probe, video)
    return replace(
        plan,
        chapters=() if joined else chapters_of(probe.chapters, plan.video.start_time, plan.duration),
        subtitles=subtitles,
        warnings=(*plan.warnings, *subtitles_left_out(probe, subtitles)),
    )
