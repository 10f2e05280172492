"""Every command that a script of the job store calls is one that its callers may call."""

from __future__ import annotations

import re
from pathlib import Path

import storage.job_store
from infra.rights.redis_users import rights
from infra.rights.roles import ROLES

_SCRIPTS = Path(storage.job_store.__file__).parent / "lua"
# Also where it is chosen between two, as 'SADD' or 'SREM'.
_CALLED = re.compile(r"redis\.call\([^'\n]*'([A-Z]+)'|'([A-Z]+)' or '([A-Z]+)'")


def test_scripts_call_nothing_that_is_forbidden() -> None:
    """Each role has rights of its own in containers, and a script stops in its middle where one is missing."""
    text = "".join(path.read_text() for path in _SCRIPTS.glob("*.lua"))
    called = {name.lower() for found in _CALLED.findall(text) for name in found if name}
    assert {"hset", "sadd", "srem", "time"} <= called
    for role in ROLES:
        assert called <= set(re.findall(r"\+([a-z|]+)", rights(role))), role.name
