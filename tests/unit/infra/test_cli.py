"""The command `rungs`: help, wrong usage, wrong settings."""

from __future__ import annotations

import pytest

from infra.cli import main

OPERATORS = ("up", "doctor", "rebuild", "simulate")


def test_the_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    """With its purpose."""
    assert main(["--help"]) == 0
    told = capsys.readouterr().out
    assert all(f"\n  {name} " in told for name in OPERATORS)


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
