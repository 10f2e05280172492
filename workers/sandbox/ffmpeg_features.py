"""What this machine's ffmpeg can and does by itself, asked once: versions differ, and distributions change them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from storage.model.plan import VideoSource
from workers.sandbox.run import ToolLimits, run_tool

HELP_SECONDS = 30.0  # it prints its options in 0.1 s; a machine may be that busy


@dataclass(frozen=True, slots=True)
class Abilities:
    """What ffmpeg does that other versions do not.

    `crops` tells that it crops by what containers say, unless it is told not to, and that ffprobe tells of it.
    """

    crops: bool = False


@cache
def abilities() -> Abilities:
    """Return what this machine's ffmpeg does. Raises ToolError, ToolTimeoutError, and UnforeseenError without one."""
    argv = ["ffmpeg", "-hide_banner", "-h", "long"]
    return parse_abilities(
        run_tool(argv, ToolLimits(deadline=HELP_SECONDS, stall=HELP_SECONDS)).decode(errors="replace")
    )


def parse_abilities(text: str) -> Abilities:
    """Return what the list of ffmpeg's own options tells; those of its decoders are not in it."""
    options = {line.split(maxsplit=1)[0].partition("[")[0] for line in text.splitlines() if line.startswith("-")}
    return Abilities(crops="-apply_cropping" in options)


def crops_by_itself(video: VideoSource) -> bool:
    """Tell whether this machine's ffmpeg would crop the source's pictures before our filters see them."""
    return video.crop is not None and abilities().crops
