"""Supervisord's event listener of `make up`: prints each part's lines and its deaths to the terminal.

Supervisord owns standard input and output (its protocol), so everything for people goes to standard error.
"""

from __future__ import annotations

import ast
import codecs
import signal
import sys
from contextlib import suppress
from dataclasses import dataclass, field

from supervisor import childutils

TAG_WIDTH = 7
OURSELVES = "rungs"
_COLORS = {"redis": 31, "control": 33, "encode": 35, "janitor": 34, "web": 36, OURSELVES: 32}
_Utf8Decoder = codecs.getincrementaldecoder("utf-8")
_UNDECODABLE = "Undecodable: "
# A file name in a log line must not be able to steer the reader's terminal.
_CONTROL_CHARACTERS = dict.fromkeys([*range(0x09), *range(0x0A, 0x20), *range(0x7F, 0xA0)], "\N{REPLACEMENT CHARACTER}")


def tagged(part: str, line: str, *, color: bool) -> str:
    """Return the line with its part's name before it, in the part's colour where colour is wanted."""
    tag = f"{part:<{TAG_WIDTH}} |"
    return f"\x1b[{_COLORS.get(part, 37)}m{tag}\x1b[0m {line}" if color else f"{tag} {line}"


def chunk_of(data: str) -> bytes:
    """Return the bytes a part wrote. Supervisord gives text, or the repr of bytes cut inside a character."""
    if data.startswith((f"{_UNDECODABLE}b'", f'{_UNDECODABLE}b"')):
        try:
            value = ast.literal_eval(data.removeprefix(_UNDECODABLE))
        except (SyntaxError, ValueError):
            return data.encode()
        return value if isinstance(value, bytes) else data.encode()
    return data.encode()


@dataclass(slots=True)
class LineAssembler:
    """Puts the chunks of one part together to whole lines; supervisord cuts anywhere, even inside a character."""

    _decoder: codecs.IncrementalDecoder = field(
        default_factory=lambda: codecs.getincrementaldecoder("utf-8")("replace")
    )
    _rest: str = ""

    def take(self, chunk: bytes) -> list[str]:
        """Return the lines that this chunk completes."""
        *lines, self._rest = (self._rest + self._decoder.decode(chunk)).split("\n")
        return [line.rstrip("\r").translate(_CONTROL_CHARACTERS) for line in lines]

    def end(self) -> list[str]:
        """Return what was written without a line end; the part is gone."""
        rest, self._rest = self._rest + self._decoder.decode(b"", final=True), ""
        return [rest.translate(_CONTROL_CHARACTERS)] if rest else []


def said_of(state: str, part: str, facts: dict[str, str]) -> str | None:
    """Return the sentence for a change of a part's state, None where nobody needs one."""
    match state:
        case "EXITED":
            return f"{part} ended without being asked to; starting it again"
        case "BACKOFF":
            seconds = int(facts["tries"])
            return f"{part} ended soon after its start; starting it again in {seconds} s"
        case "FATAL":
            return f"{part} cannot be started; see its lines above"
        case "STARTING" if facts.get("from_state") == "BACKOFF":
            return f"{part} is being started again (try {int(facts['tries']) + 1})"
        case "STOPPED":
            return f"{part} stopped"
        case _:
            return None


@dataclass(slots=True)
class Terminal:
    """Turns supervisord's events into lines for people."""

    color: bool
    _assemblers: dict[str, LineAssembler] = field(default_factory=dict)

    def lines(self, event: str, payload: str) -> list[str]:
        """Return the tagged lines that an event gives."""
        if event.startswith("PROCESS_LOG"):
            facts, data = childutils.eventdata(payload)
            part = facts["processname"]
            return [tagged(part, line, color=self.color) for line in self._assembler(part).take(chunk_of(data))]
        facts = childutils.get_headers(payload)
        part, state = facts["processname"], event.removeprefix("PROCESS_STATE_")
        if part == "logs":
            return []
        rest = self._assembler(part).end() if state in {"EXITED", "BACKOFF", "STOPPED"} else []
        said = said_of(state, part, facts)
        return [tagged(part, line, color=self.color) for line in rest] + (
            [tagged(OURSELVES, said, color=self.color)] if said else []
        )

    def _assembler(self, part: str) -> LineAssembler:
        return self._assemblers.setdefault(part, LineAssembler())


def main() -> None:
    """Answer supervisord's events until it closes our standard input."""
    # It tells how the parts end, so it ends after them, whatever a terminal sends to all processes at once.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Lengths count characters of the text as sent, so no line end may be translated.
    sys.stdin.reconfigure(encoding="utf-8", newline="\n")  # type: ignore[union-attr]
    sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    sys.stderr.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    terminal = Terminal(color="--color" in sys.argv[1:])
    while True:
        childutils.listener.ready(sys.stdout)
        header = sys.stdin.readline()
        if not header:
            return
        facts = childutils.get_headers(header)
        lines = terminal.lines(facts["eventname"], sys.stdin.read(int(facts["len"])))
        with suppress(OSError):  # where they go, the disk may be full; the parts' own log files have them
            sys.stderr.writelines(f"{line}\n" for line in lines)
            sys.stderr.flush()
        childutils.listener.ok(sys.stdout)


if __name__ == "__main__":
    main()
