"""`rungs doctor` says what this machine lacks, and tries the tools in the sandbox."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from infra.local import doctor as module
from infra.local.doctor import doctor
from storage.settings import Settings
from workers.sandbox.launching import fence_in, fences
from workers.sandbox.layers import Kernel


@pytest.fixture(autouse=True)
def _own_fences() -> Iterator[None]:
    before = fences()
    yield
    fence_in(before)


def test_each_layer_has_a_line(
    monkeypatch: pytest.MonkeyPatch, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    """A kernel that lacks one fails the command; the tools are tried all the same."""
    monkeypatch.setattr(module, "kernel", lambda: Kernel(2, filters=True))
    assert doctor(settings, {}) == 1
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if line.startswith("MISSING")] == [
        "MISSING  The kernel's Landlock has no rules for ports (6.7 or newer), so tools may connect to every TCP port."
    ]
    assert "ok       sandbox: files, by Landlock 2" in lines
    assert sum("in the sandbox" in line for line in lines) == 2


def test_a_tool_that_cannot_run_is_found(
    monkeypatch: pytest.MonkeyPatch, settings: Settings, capsys: pytest.CaptureFixture[str], tmp_path: object
) -> None:
    """As it would fail every job."""
    monkeypatch.setenv("PATH", str(tmp_path))
    assert doctor(settings, {}) == 1
    assert "MISSING  ffmpeg does not run in the sandbox" in capsys.readouterr().out
