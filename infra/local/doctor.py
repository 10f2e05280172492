"""`rungs doctor`: does this machine have what Rungs needs, and which layers of the sandbox does its kernel lend?"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping

from infra.local import preflight
from storage.errors import RungsError
from storage.model.layers import Layer
from storage.settings import Settings, SettingsError
from workers.sandbox.launching import Fences, fence_in
from workers.sandbox.layers import LACKING, kernel, missing
from workers.sandbox.run import ToolLimits, run_tool

TRIAL_SECONDS = 30.0  # a tool prints its version in 0.1 s; a machine may be that busy
_TRIED = ("ffmpeg", "ffprobe")


def doctor(settings: Settings, _environment: Mapping[str, str]) -> int:
    """Print a line for each finding; return 0 where nothing is missing, else 1."""
    fence_in(Fences(tool_folders=settings.tool_folders))
    findings = [*_programs(settings), *_layers(), *_trials()]
    for held, line in findings:
        sys.stdout.write(f"{'ok' if held else 'MISSING':8} {line}\n")
    return 0 if all(held for held, _ in findings) else 1


def _programs(settings: Settings) -> Iterator[tuple[bool, str]]:
    try:
        preflight.check_tools(own_redis=preflight.own_redis(settings))
    except SettingsError as error:
        yield False, str(error)
    else:
        yield True, "all programs are on PATH"


def _layers() -> Iterator[tuple[bool, str]]:
    """Yield what is said of each layer: of a service in a container it has to be asked there."""
    lent = kernel()
    lacking = missing(lent)
    for layer in Layer:
        by = "the filter of system calls" if layer is Layer.CALLS else f"Landlock {lent.landlock}"
        yield layer not in lacking, LACKING[layer] if layer in lacking else f"sandbox: {layer}, by {by}"


def _trials() -> Iterator[tuple[bool, str]]:
    """Yield whether each tool runs in the sandbox: its libraries may lie where it may not read."""
    for tool in _TRIED:
        try:
            said = run_tool([tool, "-version"], ToolLimits(deadline=TRIAL_SECONDS, stall=TRIAL_SECONDS)).decode()
        except RungsError as error:
            why = error.detail.strip().rpartition("\n")[2]
            yield False, f"{tool} does not run in the sandbox (TOOL_FOLDERS names folders it needs): {why}"
        else:
            yield True, f"{said.partition(' Copyright')[0]}, in the sandbox"
