"""`rungs up` started as root: every process is the system user's, and so is what root left in DATA_DIR."""

from __future__ import annotations

import os
import pwd
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.integration.infra.test_up import READY_SECONDS, ROOT, Installation, start
from tests.support.forms import CONTENT_TYPE, upload
from tests.support.servers import free_port
from tests.support.waiting import wait_until
from tests.support.web_client import ask

__all__ = ["start"]  # a fixture

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="started unprivileged, there is no right to give up")


def rights(pid: int) -> dict[str, str]:
    """Return what /proc says of a process's user, groups and capabilities."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return dict(
        line.split(":\t", 1) for line in lines if line.startswith(("Uid", "Gid", "Groups", "Cap", "NoNewPrivs"))
    )


@pytest.fixture
def of_root(tmp_path: Path) -> Path:
    """Give the DATA_DIR of an installation that ran as root, open to everybody, with a link out of it."""
    data_dir = tmp_path / "data"
    data_dir.mkdir()
    (tmp_path / "secret").touch(mode=0o600)
    for name in ("run", "logs", "redis", "objects/originals", "objects/.unfinished"):
        (data_dir / name).mkdir(parents=True)
    (data_dir / "objects/originals/link").symlink_to(tmp_path / "secret")
    return data_dir


def test_nothing_runs_as_root_and_nothing_stays_roots(of_root: Path, start: Callable[..., Installation]) -> None:
    """No process has root's user, groups or capabilities; DATA_DIR is closed; the takeover is said once."""
    installation = start("data").ready()
    user = pwd.getpwnam("rungs")
    below = installation.descendants()
    for pid in (installation.process.pid, *below):
        found = rights(pid)
        assert found["Uid"].split() == [str(user.pw_uid)] * 4, below.get(pid)
        assert found["Gid"].split() == [str(user.pw_gid)] * 4
        assert found["Groups"].split() == []
        assert int(found["CapEff"], 16) == int(found["CapPrm"], 16) == int(found["CapAmb"], 16) == 0
        assert found["NoNewPrivs"] == "1" or pid == installation.process.pid
    assert "everything runs as the system user rungs" in installation.text
    assert f"{of_root} belonged to root; rungs owns it now (6 files and folders)" in installation.text
    assert (of_root.parent / "secret").stat().st_uid == 0

    accepted = ask(installation, "POST", "/api/jobs", upload(), **{"Content-Type": CONTENT_TYPE})
    original = of_root / "objects/originals" / accepted["id"] / "original"
    wait_until(original.exists, what="the original")
    for path in (of_root, *of_root.rglob("*")):
        status = path.lstat()
        if path.name != "link" and not stat.S_ISLNK(status.st_mode):
            assert status.st_uid == user.pw_uid, path
    assert stat.S_IMODE(of_root.stat().st_mode) == stat.S_IMODE((of_root / "redis").stat().st_mode) == 0o700
    assert stat.S_IMODE(original.stat().st_mode) == 0o600


def test_a_data_dir_with_other_things_is_refused_before_anything_starts(of_root: Path) -> None:
    """One line, exit code 1, and the other things keep their owner."""
    (of_root / "www").mkdir()
    known = {name: value for name, value in os.environ.items() if name != "REDIS_URL"}
    done = subprocess.run(
        [sys.executable, "-m", "infra.cli", "up"],
        cwd=ROOT,
        env={**known, "DATA_DIR": str(of_root), "PORT": str(free_port())},
        capture_output=True,
        text=True,
        timeout=READY_SECONDS,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "also holds www" in done.stderr
    assert (of_root / "www").stat().st_uid == 0
