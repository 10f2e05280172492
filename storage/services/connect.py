"""Making the real parts from the settings; nothing connects before a part is used."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

from storage.broker.celery_app import make_celery
from storage.broker.contract import Publisher
from storage.broker.rabbitmq_publisher import RabbitMQPublisher
from storage.broker.redis_publisher import RedisPublisher
from storage.broker.tally import Tally
from storage.job_store.redis_store import RedisJobStore
from storage.objects.contract import ObjectStore
from storage.objects.local import LocalObjectStore
from storage.objects.s3 import S3ObjectStore
from storage.redis_client import PatientRedis
from storage.services import Services
from storage.settings import Settings

# Bytes of a disk that objects share with Redis. Redis ends when it cannot append to its file, and everything with it.
# It rewrites a file of 64 MiB into a second one (infra/redis.conf). Scratch space is promised down to 64 MiB.
KEPT_FOR_REDIS = 128 * 1024**2
REDIS_FOLDER = "redis"  # in DATA_DIR


def connect(settings: Settings, *, patience: float) -> Services:
    """Return the real parts; their calls go on through an outage for `patience` seconds before they raise."""
    redis = PatientRedis(settings.redis_url.get_secret_value(), patience=patience)
    return Services(
        jobs=RedisJobStore(redis),
        objects=open_objects(settings, patience=patience),
        publisher=_publisher(settings, redis, patience),
    )


def _publisher(settings: Settings, redis: PatientRedis, patience: float) -> Publisher:
    """Return the publisher for the broker that BROKER_URL names; `redis` is that of the job records."""
    app = make_celery(settings, patience)
    if settings.on_rabbitmq:
        return RabbitMQPublisher(app, Tally(redis), patience=patience)
    return RedisPublisher(app, PatientRedis(settings.broker, patience=patience), patience=patience)


def open_objects(settings: Settings, *, patience: float) -> ObjectStore:
    """Return the object store that OBJECT_STORE_URL names."""
    url = urlsplit(settings.store_url)
    if url.scheme == "file":
        root = Path(unquote(url.path))
        return LocalObjectStore(root, kept=KEPT_FOR_REDIS if _beside_redis(root, settings) else 0)
    return S3ObjectStore(
        endpoint=url.netloc,
        bucket=url.path.strip("/"),
        keys=(settings.object_store_access_key, settings.object_store_secret_key.get_secret_value()),
        region=settings.object_store_region,
        secure=url.scheme == "s3+https",
        patience=patience,
    )


def _beside_redis(root: Path, settings: Settings) -> bool:
    """Tell whether the folder of objects, or the one it will be made in, is on the disk of the Redis of `make up`."""
    redis = settings.data_dir / REDIS_FOLDER
    there = next(folder for folder in (root, *root.parents) if folder.exists())
    return redis.is_dir() and redis.stat().st_dev == there.stat().st_dev
