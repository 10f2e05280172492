"""Redis' users, one for each role, as lines of its ACL file: pure text.

A role may run scripts and the commands that it needs, on Rungs' own keys. Commands inside a script are checked too, so
nothing here gives FLUSHALL, CONFIG, KEYS or SHUTDOWN to anybody but the administrator.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256

from infra.rights.roles import CONTROL, ENCODER, JANITOR, Role
from storage.broker.contract import CONTROL_QUEUE, ENCODE_QUEUE, FIRST_QUEUE, QUEUES

# The administrator is Redis' own default user: when Redis reads its append-only file at its start, it replays each
# transaction with the rights of that user, and skips what that user may not do.
ADMIN = "default"
# Asks whether Redis has read its file. Nobody needs a password for that, and it may do nothing else.
HEALTH = "health"

# Of every client: its connection, transactions, and scripts.
_CONNECTION = "+ping +select +client|setinfo +client|setname +multi +exec +discard +watch +unwatch +time"
_SCRIPTS = "+eval +evalsha +script|load +script|exists"
# What scripts and readers of the job records use (storage/job_store, storage/broker/tally.py).
_RECORDS = (
    "+get +set +del +incrbyfloat +exists +expire +persist +ttl +type "
    "+hget +hset +hsetnx +hdel +hexists +hmget +hgetall +hkeys +hvals +hlen +hincrby +hincrbyfloat "
    "+sadd +srem +smembers +sismember +srandmember +scard "
    "+zadd +zrem +zscore +zrank +zcard +zcount +zincrby +zrange +zrevrange +zrangebyscore +zrevrangebylex "
    "+zremrangebyscore +zremrangebyrank "
    "+lpush +rpush +lrange +lindex +ltrim +xadd +xread +xrange +xrevrange"
)
_RECORD_KEYS = "~rungs:*"

# kombu's: who publishes asks which queues an exchange has, and pushes.
_ALL_QUEUES = " ".join(f"~{queue}*" for queue in QUEUES)  # beside each list there are those of further priorities
_PUBLISHES = (f"(+lpush +llen {_ALL_QUEUES})", "(+exists +sadd +smembers ~_kombu.binding*)")
# kombu's: what was delivered is kept in a hash and a set until it is acknowledged. Whoever consumes also hands back
# what others of any queue left there, under a lock.
_KEEPS = (
    "(+set +get +del +pexpire +eval +evalsha ~unacked_mutex)",
    "(+watch +hget +hset +hdel +zadd +zrem +zrange +zrangebyscore +zrevrangebyscore ~unacked ~unacked_index)",
    f"(+lpush +rpush {_ALL_QUEUES})",
)
# The janitor looks for messages that were lost.
_LOOKS = (f"(+lrange {' '.join(f'%R~{queue}' for queue in QUEUES)})", "(+hvals %R~unacked)")

_CONSUMES: Mapping[Role, tuple[str, ...]] = {CONTROL: (CONTROL_QUEUE,), ENCODER: (FIRST_QUEUE, ENCODE_QUEUE)}


def password_hash(password: str) -> str:
    """Return how Redis' ACL file writes a password that only its user knows."""
    return f"#{sha256(password.encode()).hexdigest()}"


def acl_file(passwords: Mapping[Role, str], *, admin: str) -> str:
    """Return the ACL file of these passwords."""
    lines = [
        f"user {ADMIN} on {password_hash(admin)} ~* &* +@all",
        f"user {HEALTH} on nopass resetkeys resetchannels -@all +ping",
    ]
    lines += [f"user {role.name} on {password_hash(password)} {rights(role)}" for role, password in passwords.items()]
    return "\n".join(lines) + "\n"


def rights(role: Role) -> str:
    """Return what the role may do, in Redis' words."""
    parts = ["resetkeys", "resetchannels", "-@all", _CONNECTION, _SCRIPTS, _RECORDS, _RECORD_KEYS, *_PUBLISHES]
    if queues := _CONSUMES.get(role):
        parts += [f"(+brpop +rpop {' '.join(f'~{queue}*' for queue in queues)})", *_KEEPS]
    if role == JANITOR:
        parts += _LOOKS
    return " ".join(parts)
