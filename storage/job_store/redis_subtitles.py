"""Subtitles that were added to jobs, in Redis."""

from __future__ import annotations

from collections.abc import Callable

from storage.errors import BusyError, JobNotFoundError
from storage.job_store import redis_keys
from storage.job_store.redis_scripts import RedisScripts
from storage.job_store.slim_codec import decode_tracks, encode_tracks
from storage.job_store.subtitle_contract import Added
from storage.model.job_fields import ADDED
from storage.model.record_checks import check_tracks, spoiled

_TRIES = 8  # of changes that met another one: as many as browsers send at once, and some more
_RETRY_SECONDS = 1


class RedisSubtitles(RedisScripts):
    """A SubtitleStore on Redis."""

    def change_added(self, job_id: str, change: Callable[[Added], Added]) -> Added:
        """See SubtitleStore.change_added."""
        key = redis_keys.of_job("job", job_id)
        for _ in range(_TRIES):
            seen = self._redis.call(lambda: self._client.hget(key, ADDED)) or ""
            with spoiled(job_id):
                present = decode_tracks(seen)
                check_tracks(present)
            tracks = change(present)
            match int(self._run("subtitles", job_id, seen, encode_tracks(tracks) if tracks else "")):
                case 1:
                    return tracks
                case -1:
                    raise JobNotFoundError(detail=job_id)
        raise BusyError(retry_after=_RETRY_SECONDS)
