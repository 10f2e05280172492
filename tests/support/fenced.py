"""The sandbox of this process' tools, as settings say: a pool's processes begin without any."""

from __future__ import annotations

import structlog

from storage.settings import load_settings
from workers.sandbox.launching import Fences, fence_in


def fence_tools() -> None:
    """Run tools in the sandbox from now on, with the folders of TOOL_FOLDERS."""
    fence_in(Fences(tool_folders=load_settings().tool_folders))


def fence_quietly(level: int) -> None:
    """Do that, and log nothing below this level of `logging`: among thousands of jobs a report would not be found."""
    fence_tools()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(level))
