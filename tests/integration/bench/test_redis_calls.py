"""What Redis logs of the job store's calls is told by the names of the scripts."""

from __future__ import annotations

import redis

from storage.job_store.contract import JobStore
from tests.bench.redis_calls import calls_of, script_names
from tests.support.jobs import created


def test_logged_calls_have_the_names_of_their_scripts(redis_url: str, job_store: JobStore) -> None:
    """Scripts that begin with the common part, and those that stand alone; what they call is not told beside them."""
    with redis.Redis.from_url(redis_url, decode_responses=True) as client:
        before = client.config_get("slowlog-log-slower-than")
        client.config_set("slowlog-log-slower-than", 0)
        try:
            client.slowlog_reset()
            created(job_store)
            job_store.issue(plans=1, tasks=1)
            logged = [name for name, _ in calls_of(client.slowlog_get(1000), script_names())]
        finally:
            client.config_set("slowlog-log-slower-than", before["slowlog-log-slower-than"])
    assert {"create", "issue"} <= set(logged)
    assert not {"CONFIG", "SLOWLOG", "SADD", "XADD"} & set(logged)
