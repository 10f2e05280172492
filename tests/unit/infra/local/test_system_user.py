"""The system user is made only where that can be done, and the reason is said where it cannot."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from infra.local import system_user
from storage.settings import SettingsError

_INSTEAD = "make a system user no-such-user-1 by hand, or start as an unprivileged user"


@pytest.fixture(autouse=True)
def _nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look for a user that this machine does not have."""
    monkeypatch.setattr(system_user, "NAME", "no-such-user-1")
    monkeypatch.setattr(system_user, "_INSTEAD", _INSTEAD)


def test_a_machine_without_useradd_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sentence names both ways on."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SettingsError, match=f"^root: useradd is missing, .*; {_INSTEAD}$"):
        system_user.find_or_make()


def test_a_useradd_that_fails_is_quoted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a read-only /etc, say."""
    useradd = tmp_path / "useradd"
    useradd.write_text("#!/bin/sh\necho 'cannot lock /etc/passwd' >&2\nexit 1\n")
    useradd.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    with pytest.raises(SettingsError, match=r"^root: no system user can be made \(cannot lock /etc/passwd\); make a"):
        system_user.find_or_make()


def test_root_by_another_name_is_no_system_user(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stepping down to number 0 would be no step."""
    monkeypatch.setattr(system_user, "NAME", "root")
    with pytest.raises(SettingsError, match="is root by another name"):
        system_user.find_or_make()
