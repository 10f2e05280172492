"""The roles of Compose that hold keys, and the user ids by which their key files are told apart."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Role:
    """One service's name at Redis and at the object store; `gid` is the group of its container, and of its keys."""

    name: str
    gid: int

    @property
    def access_key(self) -> str:
        """Its name at the object store."""
        return f"rungs-{self.name}"


# The same numbers stand in docker-compose.yml and infra/docker/Dockerfile; a test compares them. 10001 was the one
# user of all containers before, so the store, which holds most, keeps what it has.
STORE_GID = 10001
WEB = Role("web", 10003)
CONTROL = Role("control", 10004)
JANITOR = Role("janitor", 10005)
ENCODER = Role("encoder", 10006)
REDIS_GID = 10007

ROLES = (WEB, CONTROL, JANITOR, ENCODER)
