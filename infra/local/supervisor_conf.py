"""The parts of an installation and supervisord's configuration for them: pure text, nothing is started here.

The configuration names relative paths and programs on PATH only. Supervisord reads `%`, `;` and `#` in values as its
own syntax, so folders chosen by people reach it through the working directory and the inherited environment instead.
"""

from __future__ import annotations

from dataclasses import dataclass

RUN_FOLDER = "run"
LOG_FOLDER = "logs"
SUPERVISORD_CONF = "supervisord.conf"
REDIS_CONF = "redis.conf"
REDIS_URL_FILE = "redis.url"  # for commands beside the running installation
LOCK_FILE = "lock"  # held while an installation runs
APP_ENV = "RUNGS_APP_DIR"

# Without this a killed supervisord would leave its parts behind, holding port and data. At once, because nobody is left
# to wait for them; what they were doing is done again. And no set-user-ID program gives a part rights that it has not.
DIES_WITH_SUPERVISORD = "setpriv --pdeathsig KILL --no-new-privs --"

# A part that dies sooner than this after its start is started again with a growing delay (1 s, 2 s, 3 s ...).
START_SECONDS = 10
# Never give up: the delay grows by a second a try, so a night of failures ends at a try every four minutes.
START_TRIES = 1_000_000
# Gunicorn gives uploads under way 25 s to finish.
WEB_STOP_SECONDS = 30
# Workers drain: their soft shutdown (10 s) hands back what is not done, and some seconds go to saying so to the broker.
WORKER_STOP_SECONDS = 35
# Redis only has to close its append-only file, of which every write is on disk already.
REDIS_STOP_SECONDS = 10
LOG_BYTES = "10MB"
LOG_FILES = 3
# Events wait here while the terminal is slow; beyond it the terminal misses the oldest lines, the log files never do.
EVENT_BUFFER = 4096


@dataclass(frozen=True, slots=True)
class Part:
    """One supervised process: its name, command, where it runs, and when (low priority starts first, stops last)."""

    name: str
    command: str
    priority: int
    stop_seconds: int
    in_app_dir: bool = True


REDIS = Part("redis", f"redis-server {REDIS_CONF}", 10, REDIS_STOP_SECONDS, in_app_dir=False)
CONTROL = Part("control", "python3 -m workers control", 20, WORKER_STOP_SECONDS)
ENCODE = Part("encode", "python3 -m workers encode", 20, WORKER_STOP_SECONDS)
JANITOR = Part("janitor", "python3 -m workers janitor", 20, WORKER_STOP_SECONDS)
WEB = Part("web", "python3 -m web", 30, WEB_STOP_SECONDS)


def parts(*, own_redis: bool) -> tuple[Part, ...]:
    """Return the parts of an installation, with or without a Redis of its own."""
    return ((REDIS,) if own_redis else ()) + (CONTROL, ENCODE, JANITOR, WEB)


def supervisord_conf(chosen: tuple[Part, ...], *, color: bool) -> str:
    """Return supervisord's configuration, to be read in the run folder.

    Web stops first, so that nothing new comes in; the workers then drain side by side; Redis stops last.
    """
    sections = [_SUPERVISORD, _listener(color=color), *map(_program, chosen)]
    sections.append(
        f"[group:workers]\nprograms={CONTROL.name},{ENCODE.name},{JANITOR.name}\npriority={CONTROL.priority}\n"
    )
    return "\n".join(sections)


_SUPERVISORD = f"""\
[supervisord]
nodaemon=true
silent=true
logfile=../{LOG_FOLDER}/supervisord.log
logfile_maxbytes={LOG_BYTES}
logfile_backups={LOG_FILES}
pidfile=supervisord.pid
"""


def _listener(*, color: bool) -> str:
    return f"""\
[eventlistener:logs]
command={DIES_WITH_SUPERVISORD} python3 -m infra.local.log_listener{" --color" if color else ""}
directory=%(ENV_{APP_ENV})s
events=PROCESS_STATE,PROCESS_LOG
buffer_size={EVENT_BUFFER}
startsecs=0
autorestart=true
stderr_logfile=/dev/stderr
stderr_logfile_maxbytes=0
"""


def _program(part: Part) -> str:
    directory = f"directory=%(ENV_{APP_ENV})s\n" if part.in_app_dir else ""
    return f"""\
[program:{part.name}]
command={DIES_WITH_SUPERVISORD} {part.command}
{directory}priority={part.priority}
startsecs={START_SECONDS}
startretries={START_TRIES}
autorestart=true
stopsignal=TERM
stopwaitsecs={part.stop_seconds}
killasgroup=true
redirect_stderr=true
stdout_logfile=../{LOG_FOLDER}/{part.name}.log
stdout_logfile_maxbytes={LOG_BYTES}
stdout_logfile_backups={LOG_FILES}
stdout_events_enabled=true
"""


def redis_conf(base: str, *, port: int, password: str) -> str:
    """Return the base configuration plus what makes this Redis private to one installation on this machine."""
    return f"""{base}
# Twenty lines of every start would bury the one with the address.
loglevel warning
bind 127.0.0.1
port {port}
requirepass {password}
dir ../redis
"""
