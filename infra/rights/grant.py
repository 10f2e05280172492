"""Tells Redis and the object store who may do what: `python -m infra.rights.grant /keys`, with the store's settings.

Runs once at each start, before the services, and again where keys were changed. Repeating it changes nothing.
"""

from __future__ import annotations

import sys
from pathlib import Path
from urllib.parse import urlsplit

from minio import MinioAdmin
from minio.credentials.providers import StaticProvider

from infra.make_keys import ACCESS_KEY, SECRET_KEY, admin_url
from infra.rights.roles import ROLES
from infra.rights.store_policies import policy
from storage.redis_client import PatientRedis
from storage.services.connect import open_objects
from storage.settings import Settings, load_settings

_PATIENCE_SECONDS = 30.0  # both are healthy when this is started


def grant(settings: Settings, keys: Path, *, redis_url: str) -> None:
    """Make bucket, users and policies at the store of these settings, and have Redis read its users anew.

    Settings and `redis_url` are the administrators'; `keys` has a folder for each role.
    Raises BusyError while one of them is away, MinioAdminException and redis.RedisError where one refuses.
    """
    open_objects(settings, patience=_PATIENCE_SECONDS).prepare()
    url = urlsplit(settings.store_url)
    root = StaticProvider(settings.object_store_access_key, settings.object_store_secret_key.get_secret_value())
    admin = MinioAdmin(
        endpoint=url.netloc, credentials=root, secure=url.scheme == "s3+https", region=settings.object_store_region
    )
    for role in ROLES:
        admin.user_add(*((keys / role.name / name).read_text() for name in (ACCESS_KEY, SECRET_KEY)))
        admin.policy_add(role.access_key, policy=policy(role, url.path.strip("/")))
        admin.policy_set(role.access_key, user=role.access_key)
    redis = PatientRedis(redis_url, patience=_PATIENCE_SECONDS)
    redis.call(redis.client.acl_load)


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    grant(load_settings(), folder, redis_url=admin_url(folder))
