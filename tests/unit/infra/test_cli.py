"""The one command of both: who uses a server, and who runs it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import SecretStr
from typer.core import TyperGroup
from typer.main import get_command

from infra.cli import app, main
from web.client.failures import Exit
from web.client.server import RemoteServer

ROOT = Path(__file__).parents[3]
# What a server consists of; on a user's machine it may be broken, or not be there.
SERVER_ONLY = (
    "flask", "flask_babel", "werkzeug", "celery", "kombu", "amqp", "redis", "minio", "gunicorn", "ffmpeg", "structlog",
    "supervisor", "simpy", "spectree", "prometheus_client", "pydantic_settings",
)  # fmt: skip
OPERATORS = ("up", "doctor", "rebuild", "simulate")
ALONE = """
import sys
for name in {names!r}:
    sys.modules[name] = None
from infra.cli import main
code = main(["queue", "--server", "http://127.0.0.1:9"])
assert not any(name.startswith(("workers", "infra.local", "storage.settings")) for name in sys.modules)
sys.exit(code)
"""


def test_a_users_machine_needs_nothing_of_a_server() -> None:
    """Where none of it can be imported, a command of a user still asks its server."""
    done = subprocess.run(
        [sys.executable, "-c", ALONE.format(names=SERVER_ONLY)],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert "http://127.0.0.1:9 does not answer" in done.stderr
    assert done.returncode == 3


def test_the_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    """Those of a user, and those of whoever runs the server."""
    assert main(["--help"]) == 0
    told = capsys.readouterr().out
    users = ("upload", "watch", "jobs", "show", "cancel", "retry", "download", "queue")
    assert all(f"\n  {name} " in told for name in (*users, *OPERATORS))


@pytest.mark.parametrize("arguments", [["nonsense"], [], ["up", "--nonsense"], ["simulate", "--nonsense"]])
def test_wrong_usage_is_code_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """And what would be right is said."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "usage: rungs" in capsys.readouterr().err.lower()


def test_a_wrong_setting_is_one_line(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """With the code of a command that could not do its work."""
    monkeypatch.setenv("PORT", "x")
    assert main(["doctor"]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("rungs: PORT")


def test_a_token_is_shown_nowhere(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither in the help, which shows defaults, nor where a server is printed."""
    monkeypatch.setenv("RUNGS_TOKEN", "s3cret")
    assert main(["queue", "--help"]) == 0
    assert "s3cret" not in capsys.readouterr().out
    assert "s3cret" not in repr(RemoteServer("http://x", SecretStr("s3cret")))


def test_the_page_has_every_option_and_exit_code() -> None:
    """And says which commands there are."""
    page = (ROOT / "docs" / "cli.md").read_text()
    group = get_command(app)
    assert isinstance(group, TyperGroup)
    commands = {name: found for name, found in group.commands.items() if name not in OPERATORS}
    options = {option for command in commands.values() for parameter in command.params for option in parameter.opts}
    assert {"--json", "--max-wait"} <= options
    assert [name for name in options if name.startswith("--") and f"| `{name}" not in page] == []
    assert [name for name in commands if f"| `rungs {name}" not in page] == []
    assert [code for code in Exit if f"| {code.value} | " not in page] == []
