"""The job store on Redis, its eight parts in one."""

from __future__ import annotations

from storage.job_store.redis_early import RedisEarly
from storage.job_store.redis_events import RedisEvents
from storage.job_store.redis_queue import RedisQueue
from storage.job_store.redis_records import RedisRecords
from storage.job_store.redis_subtitles import RedisSubtitles
from storage.job_store.redis_tasks import RedisTasks
from storage.job_store.redis_upkeep import RedisUpkeep
from storage.job_store.redis_uploads import RedisUploads


class RedisJobStore(
    RedisRecords, RedisTasks, RedisEvents, RedisUpkeep, RedisQueue, RedisUploads, RedisEarly, RedisSubtitles
):
    """A JobStore on Redis; nothing connects before the first call."""
