"""`rungs simulate` as people use it: tables, a drawing, and errors in plain words."""

from __future__ import annotations

import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from infra.cli import main
from infra.simulation.disciplines import NAMES

SHORT = ["simulate", "--encoders", "4", "--hours", "0.5", "--mix", "clips"]


def test_the_tables_compare_all_disciplines(capsys: pytest.CaptureFixture[str]) -> None:
    """Without a discipline named there are two rows of each, below what was simulated."""
    assert main(SHORT) == 0
    told = capsys.readouterr().out
    assert told.startswith("4 encoder slots, clips: ")
    assert "utilisation 0.80, 0.5 h; 2 control slots; uploads are refused from 14,400 s of work on." in told
    assert [told.count(f"| {about} ") for about in NAMES.values()] == [2] * len(NAMES)


def test_the_load_can_be_told_in_jobs_a_day(capsys: pytest.CaptureFixture[str]) -> None:
    """Half an hour of 4,800 jobs a day brings about a hundred, of which the first tenth is not counted."""
    assert main([*SHORT, "--jobs-a-day", "4800", "--discipline", "fifo"]) == 0
    told = capsys.readouterr().out
    assert "4,800 jobs a day" in told
    assert NAMES["targets"] not in told


def test_overload_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """With ten times what the encoders do and a minute's limit most uploads are refused."""
    options = ["--rho", "10", "--max-wait", "60", "--returning", "0", "--discipline", "targets"]
    assert main([*SHORT, *options]) == 0
    rows = [line for line in capsys.readouterr().out.splitlines() if line.startswith("| earliest")]
    _, _, _, refused, kept, lost, *_ = [cell.strip() for cell in rows[1].split("|")]
    assert refused == lost
    assert float(refused.rstrip("%")) > 50
    assert kept == "-"


def test_settings_of_the_installation_hold(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit is the one that the environment gives the installation, where no option names another."""
    monkeypatch.setenv("ADMISSION_MAX_WAIT_SECONDS", "777")
    assert main([*SHORT, "--discipline", "fifo"]) == 0
    assert "refused from 777 s of work on" in capsys.readouterr().out


def test_a_trace_is_replayed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Three uploads of a file, all of which are counted."""
    trace = tmp_path / "uploads.csv"
    trace.write_text("at,owner,cost\n0,ann,100\n10,bob,20\n10,bob,20\n")
    assert main(["simulate", "--encoders", "2", "--trace", str(trace), "--discipline", "targets"]) == 0
    told = capsys.readouterr().out
    assert told.startswith("2 encoder slots, 3 uploads of uploads.csv")
    assert "| 3    |" in told


def test_an_empty_trace_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file without uploads is told to be one."""
    trace = tmp_path / "uploads.csv"
    trace.write_text("")
    assert main(["simulate", "--trace", str(trace)]) == 1
    assert capsys.readouterr().err == f"rungs: {trace} holds no uploads.\n"


def test_nothing_that_counts_is_drawn_as_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A load of which no job came in the time that is looked at gives dashes and an empty drawing."""
    target = tmp_path / "plot.svg"
    assert main([*SHORT, "--jobs-a-day", "0.001", "--plot", str(target)]) == 0
    assert "| - / - / - |" in capsys.readouterr().out
    assert target.exists()


def test_the_drawing_is_the_same_each_time(tmp_path: Path) -> None:
    """An SVG with text as text: all disciplines, no date, no background, the same for the same seed."""
    one, two = tmp_path / "one.svg", tmp_path / "two.svg"
    for path in (one, two):
        assert main([*SHORT, "--plot", str(path)]) == 0
    assert one.read_bytes() == two.read_bytes()
    words = " ".join(ET.fromstring(one.read_text()).itertext())  # noqa: S314 (our own)
    assert all(about in words for about in NAMES.values())


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--encoders", "0"], "argument --encoders: 0 is not a whole number from 1 on"),
        (["--rho", "much"], "argument --rho: much is not a number above 0"),
        (["--hours", "inf"], "argument --hours: inf is not a number above 0"),
        (["--returning", "2"], "argument --returning: 2 is not a number from 0 to 1"),
        (["--mix", "cats"], "argument --mix: invalid choice"),
        (["--rho", "1", "--jobs-a-day", "5"], "not allowed with argument"),
    ],
)
def test_a_wrong_option_is_named(options: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The last line says which option, and what would be right."""
    with pytest.raises(SystemExit):
        main(["simulate", *options])
    assert words in capsys.readouterr().err.splitlines()[-1]


def test_a_missing_trace_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No traceback: the file's name, and why it cannot be read."""
    assert main(["simulate", "--trace", str(tmp_path / "none.csv")]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"rungs: {tmp_path / 'none.csv'} cannot be read: ")


def test_a_drawing_needs_matplotlib(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Where it is not installed the tables are there all the same, and one line says what is missing."""
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert main([*SHORT, "--discipline", "fifo", "--plot", "plot.svg"]) == 1
    printed = capsys.readouterr()
    assert NAMES["fifo"] in printed.out
    assert printed.err == "rungs: --plot needs matplotlib, which is not installed. The tables need none.\n"


def test_a_drawing_that_cannot_be_kept_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A folder that is not there is named."""
    target = tmp_path / "none" / "plot.svg"
    assert main([*SHORT, "--discipline", "fifo", "--plot", str(target)]) == 1
    assert f"{target} cannot be written" in capsys.readouterr().err
