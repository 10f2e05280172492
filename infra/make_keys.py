"""Makes the random keys of all containers, once, a folder for each service: `python -m infra.make_keys /keys`.

A role's files are named like the settings they hold, so that SECRETS_DIR can point at its folder. Each folder is a
volume of its own that only its service sees; besides, its files can be read by the service's group alone.
"""

from __future__ import annotations

import os
import secrets
import sys
from pathlib import Path

from infra.rights.redis_users import ADMIN, acl_file
from infra.rights.roles import REDIS_GID, ROLES, STORE_GID

ACCESS_KEY = "object_store_access_key"
SECRET_KEY = "object_store_secret_key"  # noqa: S105 (the file's name)
REDIS_URL = "redis_url"
REDIS_PASSWORD = "redis_password"  # noqa: S105 (the file's name)
ACL_FILE = "users.acl"
ADMIN_FOLDER, REDIS_FOLDER, STORE_FOLDER = "admin", "redis", "minio"
_REDIS_ADDRESS = "redis:6379/0"


def make_keys(root: Path) -> None:
    """Write the keys that are not there yet and keep those that are; Redis' users always follow from the passwords."""
    store, admin = root / STORE_FOLDER, root / ADMIN_FOLDER
    _write_once(store / ACCESS_KEY, f"rungs-{secrets.token_hex(8)}", STORE_GID)
    _write_once(store / SECRET_KEY, secrets.token_urlsafe(32), STORE_GID)
    admin_password = _write_once(admin / REDIS_PASSWORD, secrets.token_urlsafe(32), None)
    passwords = {}
    for role in ROLES:
        folder = root / role.name
        _write_once(folder / ACCESS_KEY, role.access_key, role.gid)
        _write_once(folder / SECRET_KEY, secrets.token_urlsafe(32), role.gid)
        url = _write_once(folder / REDIS_URL, redis_url(role.name, secrets.token_urlsafe(32)), role.gid)
        passwords[role] = url.split(":")[2].partition("@")[0]
    _write(root / REDIS_FOLDER / ACL_FILE, acl_file(passwords, admin=admin_password), REDIS_GID)


def redis_url(user: str, password: str) -> str:
    """Return the address at which this user of Redis connects."""
    return f"redis://{user}:{password}@{_REDIS_ADDRESS}"


def admin_url(root: Path) -> str:
    """Return the address at which the administrator of Redis connects."""
    return redis_url(ADMIN, (root / ADMIN_FOLDER / REDIS_PASSWORD).read_text())


def _write_once(path: Path, value: str, group: int | None) -> str:
    """Write the value if the file is not there; return what is in it."""
    if not path.exists():
        _write(path, value, group)
    return path.read_text()


def _write(path: Path, value: str, group: int | None) -> None:
    """Write a file, whole or not at all, that the group may read; None for nobody but us."""
    unfinished = path.with_suffix(".new")
    unfinished.unlink(missing_ok=True)
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400), "w") as file:
        if group is not None:
            os.fchown(file.fileno(), -1, group)
            os.fchmod(file.fileno(), 0o440)
        file.write(value)
        file.flush()
        os.fsync(file.fileno())
    unfinished.rename(path)


if __name__ == "__main__":
    make_keys(Path(sys.argv[1]))
