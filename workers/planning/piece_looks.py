"""Looks at the beginnings of pieces: of each place once, and beside the listing of packets where it seems to be one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from queue import SimpleQueue

from storage.model.plan import ClockPiece
from workers.planning.audio import choose_audio
from workers.planning.audio_facts import Heard
from workers.planning.audio_probe import listen_from
from workers.planning.clock_jumps import Clock
from workers.planning.early_jumps import EarlyJumps
from workers.planning.facts import Probe, Stream
from workers.planning.packet_columns import Columns
from workers.planning.picture_facts import Look
from workers.planning.picture_probe import look_from
from workers.sandbox.run import Watch

MOST_PIECES = 16  # looked into, for 0.15 s of CPU each: a recording in more of them has other faults
LOOKS_AT_ONCE = 2  # as many as look at pictures and sound of the whole file


class JumpsTold:
    """Hands the jumps that one thread meets over to another, which looks at them as long as there is time."""

    def __init__(self) -> None:
        self._jumps = EarlyJumps()
        self._told = SimpleQueue[tuple[int, int] | None]()
        self._ended = False

    def read(self, columns: Mapping[int, Columns]) -> None:
        """Take what is listed so far."""
        for jump in self._jumps.met(columns):
            self._told.put(jump)

    def end(self) -> None:
        """Take it that all is listed."""
        self._ended = True
        self._told.put(None)

    def __iter__(self) -> Iterator[tuple[int, int]]:
        """Yield the stream and the place of each jump, waiting for them, until all is listed."""
        while (jump := self._told.get()) is not None and not self._ended:
            yield jump


class PieceLooks:
    """Looks at one file; what was looked at in vain is not asked for."""

    def __init__(self, url: str, facts: Probe, video: Stream, watch: Watch) -> None:
        self._url, self._facts, self._watch = url, facts, watch
        self._video, self._audio = video, choose_audio(facts, video)
        self._shown: dict[int, tuple[Look, ...]] = {}
        self._heard: dict[int, tuple[Heard, ...]] = {}

    def foresee(self, jumps: JumpsTold) -> None:
        """Look at jumps of the pictures and of the sound as they are told: one by one, as the listing needs a core."""
        for stream, place in jumps:
            if stream == self._video.index and len(self._shown) < MOST_PIECES:
                self._look(place)
            elif self._audio is not None and stream == self._audio.index and len(self._heard) < MOST_PIECES:
                self._listen(place)

    def of(self, clock: Clock) -> tuple[tuple[Look, ...], tuple[Heard, ...]]:
        """Return what is seen and heard at the beginnings of the clock's pieces."""
        with ThreadPoolExecutor(LOOKS_AT_ONCE) as pool:
            shown = pool.map(self._look, _places(clock.pictures))
            heard = pool.map(self._listen, _places(clock.sound))
            return tuple(chain.from_iterable(shown)), tuple(chain.from_iterable(heard))

    def _look(self, place: int) -> tuple[Look, ...]:
        if place not in self._shown:
            self._shown[place] = look_from(self._url, self._facts, self._video, place, self._watch)
        return self._shown[place]

    def _listen(self, place: int) -> tuple[Heard, ...]:
        if place not in self._heard:
            self._heard[place] = listen_from(self._url, self._facts, self._audio, place, self._watch)
        return self._heard[place]


def _places(pieces: Sequence[ClockPiece]) -> list[int]:
    """Return where the pieces behind the first one begin in the file, of as many as are worth the time."""
    return [piece.position for piece in pieces[1:] if piece.position is not None][:MOST_PIECES]
