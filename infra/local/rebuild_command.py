"""`rungs rebuild`: restores the jobs of an installation from its object store, after its Redis was lost."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping

from infra.local import preflight
from infra.local.step_down import join
from infra.local.up import part_environment
from storage.settings import Settings


def rebuild(settings: Settings, environment: Mapping[str, str]) -> int:
    """Run the workers' rebuild on the Redis that is named, or on the running installation's own; return its exit code.

    Raises SettingsError when there is neither.
    """
    environment = {**environment, **join(settings).environment}
    redis_url = preflight.running_redis(settings.data_dir.resolve()) if preflight.own_redis(settings) else None
    command = [sys.executable, "-m", "workers", "rebuild"]
    return subprocess.run(command, env=part_environment(settings, environment, redis_url), check=False).returncode
