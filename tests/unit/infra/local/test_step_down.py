"""What keeps root's rights from being given up is said in one line, with nothing started."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from infra.local import reach, step_down
from infra.local.reach import Needed
from infra.local.system_user import SystemUser
from storage.settings import Settings, SettingsError

USER = SystemUser("rungs", 64_001, 64_002, "/nonexistent")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as another user")
def test_a_machine_without_namespaces_says_what_is_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A container that may not mount: the sentence names the path, the closed folder and the two ways on."""

    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(reach, "show_only", refuse)
    (tmp_path / "root/app").mkdir(parents=True)
    (tmp_path / "root").chmod(0o700)
    with pytest.raises(SettingsError) as caught:
        step_down._open_ways([Needed(tmp_path / "root/app", writable=False)], USER)
    assert f"cannot reach {tmp_path / 'root/app'}: /" in str(caught.value)
    assert str(caught.value).endswith("move it, to /opt say, or start as an unprivileged user")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has rights to give up")
def test_a_data_dir_that_holds_the_code_is_refused() -> None:
    """Who owns it could change the code."""
    with pytest.raises(SettingsError, match=r"^DATA_DIR: / holds the code in "):
        step_down.step_down(Settings(data_dir=Path("/")))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_unprivileged_only_the_umask_changes(tmp_path: Path) -> None:
    """No user is looked for, and nothing is said."""
    code = (
        "import os, sys; from pathlib import Path; from infra.local.step_down import step_down; "
        "from storage.settings import Settings; os.setresuid(64001, 64001, 64001); "
        "found = step_down(Settings(data_dir=Path(sys.argv[1]))); "
        "print(found.said, dict(found.environment), os.umask(0))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], cwd=step_down.APP_DIR, capture_output=True, text=True, check=True
    )
    assert done.stdout == f"() {{}} {0o077}\n"
