"""The job store on Redis, its six parts in one."""

from __future__ import annotations

from storage.job_store.redis_events import RedisEvents
from storage.job_store.redis_queue import RedisQueue
from storage.job_store.redis_records import RedisRecords
from storage.job_store.redis_tasks import RedisTasks
from storage.job_store.redis_upkeep import RedisUpkeep
from storage.job_store.redis_uploads import RedisUploads


class RedisJobStore(RedisRecords, RedisTasks, RedisEvents, RedisUpkeep, RedisQueue, RedisUploads):
    """A JobStore on Redis; nothing connects before the first call."""
