"""How a worker fences its tools in: chosen once at its start, and said in its log."""

from __future__ import annotations

import structlog

from storage.settings import Settings
from workers.sandbox.launching import Fences, fence_in
from workers.sandbox.layers import LACKING, missing

_log = structlog.get_logger()


def fence_tools(settings: Settings) -> bool:
    """Fence in all tools of this process and its children; False where SANDBOX asks for layers that are missing."""
    fences = Fences(off=settings.sandbox == "off", tool_folders=settings.tool_folders)
    fence_in(fences)
    if fences.off:
        _log.warning("tools run without a sandbox", reason="SANDBOX=off")
        return True
    required = settings.sandbox == "require"
    lacking = missing(fences.layers)
    for layer in lacking:
        say = _log.error if required else _log.warning
        say("the sandbox lacks a layer", layer=str(layer), what=LACKING[layer])
    _log.info("sandbox", landlock=fences.layers.landlock, filters=fences.layers.filters)
    return not (required and lacking)
