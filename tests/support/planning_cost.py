"""What planning a file costs, in a process of its own that prints it: `python -m tests.support.planning_cost FILE`."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from storage.errors import RungsError
from workers.planning.make_plan import PlanLimits
from workers.planning.plan_file import ConcealError, plan_file
from workers.sandbox.fork_server import end_server
from workers.sandbox.run import Watch

LIMITS = PlanLimits(max_pixels=8192 * 4352, max_seconds=12 * 3600, preset="veryfast", slots=2)
_KIB = 1024
_DEADLINE_SECONDS = 600


@dataclass(frozen=True, slots=True)
class Cost:
    """How planning ended (a code, or "plan"), CPU seconds, and the most memory: its own, and a tool's; in bytes."""

    end: str
    seconds: float
    own: int
    tool: int


def cost_of(path: Path) -> Cost:
    """Plan the file in a new process, so that nothing but this is measured."""
    command = [sys.executable, "-m", "tests.support.planning_cost", str(path)]
    root = Path(__file__).parents[2]
    printed = subprocess.run(command, check=True, capture_output=True, timeout=_DEADLINE_SECONDS, cwd=root).stdout
    return Cost(**json.loads(printed))


def _main() -> None:
    end = "plan"
    try:
        plan_file(sys.argv[1], LIMITS, Watch())
    except RungsError as error:
        end = error.code
    except ConcealError:
        end = "concealed"
    end_server()  # only then are its tools counted
    mine, tools = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    seconds = sum(usage.ru_utime + usage.ru_stime for usage in (mine, tools))
    print(json.dumps(asdict(Cost(end, round(seconds, 2), _most_memory(), tools.ru_maxrss * _KIB))))


def _most_memory() -> int:
    """Return the most that this process had; what getrusage says of itself begins with that of who started it."""
    told = Path("/proc/self/status").read_text().split("VmHWM:")[1]
    return int(told.split()[0]) * _KIB


if __name__ == "__main__":
    _main()
