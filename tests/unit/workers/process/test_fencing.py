"""A worker's fences: chosen by the settings, said in the log, and refused to go without where that is asked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from storage.settings import Settings, load_settings
from workers.__main__ import run_worker
from workers.process.fencing import fence_tools
from workers.sandbox import launching
from workers.sandbox.launching import fence_in, fences
from workers.sandbox.layers import Kernel

DEBIAN_12 = Kernel(landlock=2, filters=True)


@pytest.fixture(autouse=True)
def _own_fences() -> Iterator[None]:
    before = fences()
    yield
    fence_in(before)


def lend(monkeypatch: pytest.MonkeyPatch, kernel: Kernel) -> None:
    """Have the tests run on another kernel."""
    monkeypatch.setattr(launching, "kernel", lambda: kernel)


def test_a_kernel_that_lends_all_is_noted(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    """One line says what there is."""
    lend(monkeypatch, Kernel(7, filters=True))
    with capture_logs() as said:
        assert fence_tools(settings.model_copy(update={"sandbox": "require", "tool_folders": (Path("/opt"),)}))
    assert said == [{"event": "sandbox", "landlock": 7, "filters": True, "log_level": "info"}]
    assert fences().tool_folders == (Path("/opt"),)


def test_a_missing_layer_is_said_and_worked_without(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    """The others stand."""
    lend(monkeypatch, DEBIAN_12)
    with capture_logs() as said:
        assert fence_tools(settings)
    assert [(line["log_level"], line.get("layer")) for line in said] == [("warning", "ports"), ("info", None)]
    assert fences().layers == DEBIAN_12


def test_a_worker_that_requires_all_layers_does_not_start(
    monkeypatch: pytest.MonkeyPatch, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    """It ends before it takes any work."""
    lend(monkeypatch, DEBIAN_12)
    assert run_worker(settings.model_copy(update={"sandbox": "require"}), "encode") == 1
    assert "rungs doctor" in capsys.readouterr().err


def test_no_sandbox_is_a_warning(settings: Settings) -> None:
    """It is for comparison only."""
    with capture_logs() as said:
        assert fence_tools(settings.model_copy(update={"sandbox": "off"}))
    assert [(line["log_level"], line["reason"]) for line in said] == [("warning", "SANDBOX=off")]
    assert fences().layers == Kernel(0, filters=False)


def test_folders_of_tools_are_separated_as_in_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """By colons; empty parts name nothing."""
    monkeypatch.setenv("TOOL_FOLDERS", "/opt/ffmpeg:/nix/store:")
    assert load_settings().tool_folders == (Path("/opt/ffmpeg"), Path("/nix/store"))
