"""What `make up` shows of supervisord's events."""

from __future__ import annotations

import pytest

from infra.local.log_listener import LineAssembler, Terminal, chunk_of, said_of, tagged


def log_event(part: str, data: str) -> str:
    """Return a PROCESS_LOG payload as supervisord sends it."""
    return f"processname:{part} groupname:{part} pid:1 channel:stdout\n{data}"


def test_lines_carry_the_name_of_their_part() -> None:
    """A line shows which part said it, in colour only where colour is wanted."""
    assert tagged("web", "hello", color=False) == "web     | hello"
    assert tagged("web", "hello", color=True) == "\x1b[36mweb     |\x1b[0m hello"


def test_chunks_become_whole_lines() -> None:
    """Lines cut anywhere, even inside a character, come out whole and once."""
    assembler = LineAssembler()
    text = "안녕 one\r\ntwo\nthree".encode()
    lines = [line for index in range(len(text)) for line in assembler.take(text[index : index + 1])]
    assert lines == ["안녕 one", "two"]
    assert assembler.end() == ["three"]
    assert assembler.end() == []


@pytest.mark.parametrize("raw", ["안".encode()[:2], b"quote ' and \" \xff", b"plain", b"Undecodable: b'forged"])
def test_bytes_cut_inside_a_character_are_recovered(raw: bytes) -> None:
    """Supervisord sends what it cannot decode as a repr; the bytes come back from it."""
    try:
        data = raw.decode()
    except UnicodeDecodeError:
        data = f"Undecodable: {raw!r}"
    assert chunk_of(data) == raw


def test_a_line_cannot_steer_the_terminal() -> None:
    """Escape sequences in a log line (a file's name, say) are shown as replacement characters."""
    assert LineAssembler().take(b"a\x1b[2Jb\tc\x07\n") == ["a�[2Jb\tc�"]


def test_deaths_and_restarts_are_said_aloud() -> None:
    """A part that died is named, with the seconds until it is started again."""
    terminal = Terminal(color=False)
    assert terminal.lines("PROCESS_LOG_STDOUT", log_event("encode", "last wor")) == []
    died = terminal.lines("PROCESS_STATE_BACKOFF", "processname:encode groupname:workers from_state:STARTING tries:3")
    assert died == [
        "encode  | last wor",
        "rungs   | encode ended soon after its start; starting it again in 3 s",
    ]
    again = terminal.lines("PROCESS_STATE_STARTING", "processname:encode groupname:workers from_state:BACKOFF tries:3")
    assert again == ["rungs   | encode is being started again (try 4)"]
    assert said_of("EXITED", "web", {}) == "web ended without being asked to; starting it again"


@pytest.mark.parametrize("state", ["STARTING", "RUNNING", "STOPPING"])
def test_what_goes_as_planned_is_not_said(state: str) -> None:
    """Ordinary changes of state give no line."""
    payload = "processname:web groupname:web from_state:STOPPED tries:0 pid:1"
    assert Terminal(color=False).lines(f"PROCESS_STATE_{state}", payload) == []
