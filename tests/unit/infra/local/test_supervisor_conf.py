"""The configuration that supervisord is given."""

from __future__ import annotations

from configparser import RawConfigParser

from infra.local.supervisor_conf import parts, redis_conf, supervisord_conf


def parsed(*, own_redis: bool = True, color: bool = False) -> RawConfigParser:
    """Return the configuration as supervisord's parser sees it."""
    parser = RawConfigParser(inline_comment_prefixes=(";", "#"))
    parser.read_string(supervisord_conf(parts(own_redis=own_redis), color=color))
    return parser


def test_web_stops_first_and_redis_last() -> None:
    """Supervisord stops in falling priority: web, then the workers together, then Redis."""
    conf = parsed()
    order = {name: conf.getint(name, "priority") for name in ("program:redis", "group:workers", "program:web")}
    assert order["program:web"] > order["group:workers"] > order["program:redis"]
    assert conf.get("group:workers", "programs") == "control,encode,janitor"


def test_every_part_dies_with_its_supervisor_and_is_started_again() -> None:
    """Each command is wrapped, and each program restarts for ever."""
    conf = parsed()
    programs = [name for name in conf.sections() if name.startswith("program:")]
    assert len(programs) == 5
    for name in programs:
        assert conf.get(name, "command").startswith("setpriv --pdeathsig KILL --no-new-privs -- ")
        assert conf.getboolean(name, "autorestart")
        assert conf.getint(name, "startretries") > 10_000


def test_a_foreign_redis_is_not_supervised() -> None:
    """With REDIS_URL given, there is no Redis of our own."""
    assert not parsed(own_redis=False).has_section("program:redis")


def test_color_is_the_listeners_choice() -> None:
    """The listener is told whether to colour, since it never sees the terminal."""
    assert parsed(color=True).get("eventlistener:logs", "command").endswith("--color")
    assert not parsed().get("eventlistener:logs", "command").endswith("--color")


def test_redis_listens_on_loopback_with_a_password() -> None:
    """Our Redis is closed to the network and to other users of the machine."""
    conf = redis_conf("appendonly yes", port=1234, password="secret").splitlines()
    assert {"appendonly yes", "bind 127.0.0.1", "port 1234", "requirepass secret"} <= set(conf)
