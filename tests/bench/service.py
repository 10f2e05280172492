"""The real web service over MinIO and Redis, in a temporary folder, for what is measured of uploads."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.servers import MINIO_PASSWORD, MINIO_USER, MinioServer, RedisServer, find_minio
from tests.support.web_server import WebServer


@contextmanager
def web_over_minio(bucket: str, **settings: str) -> Iterator[tuple[WebServer, MinioServer]]:
    """Run the servers, the web one with these settings, while the context lasts. Without MinIO the bench ends."""
    binary = find_minio()
    if binary is None:
        sys.exit("MinIO is missing: `make test` builds it with Go; or set RUNGS_MINIO to the binary.")
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        minio, redis = MinioServer(Path(folder, "minio"), binary), RedisServer(Path(folder, "redis"))
        store = {
            "OBJECT_STORE_URL": f"s3://{minio.endpoint}/{bucket}",
            "OBJECT_STORE_ACCESS_KEY": MINIO_USER,
            "OBJECT_STORE_SECRET_KEY": MINIO_PASSWORD,
        }
        web = WebServer(Path(folder, "web"), redis.url, **store, **settings)
        try:
            for server in (minio, redis, web):
                server.start()
            yield web, minio
        finally:
            for server in (web, redis, minio):
                server.stop()
