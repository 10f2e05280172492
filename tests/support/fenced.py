"""The sandbox of this process' tools, as settings say: a pool's processes begin without any."""

from __future__ import annotations

from storage.settings import load_settings
from workers.sandbox.launching import Fences, fence_in


def fence_tools() -> None:
    """Run tools in the sandbox from now on, with the folders of TOOL_FOLDERS."""
    fence_in(Fences(tool_folders=load_settings().tool_folders))
