"""Which scripts hold Redis for how long, by its slow log: while one runs, Redis answers nobody else."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from statistics import quantiles
from typing import Any

import redis

from storage.job_store.redis_scripts import RedisScripts
from storage.redis_client import PatientRedis
from tests.bench.gauges import redis_of
from tests.bench.installation import Installation

# Shorter calls are not logged: they are nobody's longest, and a log of all would take more time than many of them.
LOGGED_MICROSECONDS = 50
LOG_ENTRIES = 20_000  # between two looks, which come after each round
# A script's 95 % of fewer calls is its longest one, and on a machine with other work any call may be.
LEAST_CALLS = 20
_ALONE = ("storage.job_store", "storage.broker")  # packages with scripts


def script_names() -> dict[str, str]:
    """Return the names of the product's scripts by the hash that Redis knows them by; some stand alone, some do not."""
    common = RedisScripts(PatientRedis("redis://127.0.0.1", patience=0.0))._common
    names = {}
    for package in _ALONE:
        for script in files(package).joinpath("lua").iterdir():
            text = script.read_text()
            for whole in (text, f"{common}\n{text}"):
                names[hashlib.sha1(whole.encode(), usedforsecurity=False).hexdigest()] = script.name.removesuffix(
                    ".lua"
                )
    return names


@dataclass(frozen=True, slots=True)
class Longest:
    """The script or command whose calls take longest, by what 95 % of them stay below, and the longest single call.

    Times are seconds.
    """

    name: str
    p95: float
    single_name: str
    single: float


@dataclass(slots=True)
class RedisCalls:
    """Collects the calls of one installation, by the names of scripts and commands: their seconds."""

    installation: Installation
    took: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    _names: Mapping[str, str] = field(default_factory=script_names)

    def begin(self) -> None:
        """Forget what was collected, and log from now on."""
        self.took.clear()
        with redis_of(self.installation) as client:
            client.config_set("slowlog-max-len", LOG_ENTRIES)
            client.config_set("slowlog-log-slower-than", LOGGED_MICROSECONDS)
            client.slowlog_reset()

    def collect(self) -> None:
        """Take over what was logged since the last time, and empty the log, whose entries take memory."""
        with redis_of(self.installation) as client:
            entries = client.slowlog_get(LOG_ENTRIES)
            client.slowlog_reset()
        for name, seconds in calls_of(entries, self._names):
            self.took[name].append(seconds)


def calls_of(entries: Iterable[Mapping[str, Any]], names: Mapping[str, str]) -> Iterable[tuple[str, float]]:
    """Yield name and seconds of each call of a client; `names` are those of scripts by the hash of their text.

    Commands inside a script are part of it, and what asks for the log is ours.
    """
    for entry in entries:
        words = entry["command"].decode(errors="replace").split(" ", 2)
        if entry["client_address"].startswith(b"?") or words[0] in {"SLOWLOG", "CONFIG", "INFO"}:
            continue
        name = names.get(words[1], words[1][:8]) if words[0] == "EVALSHA" else words[0]
        yield name, entry["duration"] / 1e6


def longest(took: Mapping[str, Sequence[float]]) -> Longest:
    """Return the longest of what was collected. Raises RuntimeError where nothing was called often enough."""
    often = {name: calls for name, calls in took.items() if len(calls) >= LEAST_CALLS}
    if not often:
        raise RuntimeError(f"nothing was called {LEAST_CALLS} times: more rounds are needed")
    p95 = {name: quantiles(calls, n=20, method="inclusive")[-1] for name, calls in often.items()}
    name, single = max(p95, key=p95.__getitem__), max(took, key=lambda each: max(took[each]))
    return Longest(name, p95[name], single, max(took[single]))


def redis_bytes(installation: Installation) -> int:
    """Return what the installation's Redis holds, without the log of its calls."""
    with redis_of(installation) as client:
        client.slowlog_reset()
        return int(_memory(client)["used_memory"])


def _memory(client: redis.Redis) -> dict[str, Any]:
    found: dict[str, Any] = client.info("memory")
    return found
