"""`make bench-overlap`: how much sooner a video is ready that was encoded while it was being uploaded.

    at once   over loopback: the wait that a user had before, from the last byte to `ready`
    paced     over a line of 0.5, 1 and 2 times the rate at which this machine encodes the video

A video is encoded at so many bytes a second as it has, over the seconds of the wait at once. All are MP4; the index is
last, as phones write it, or first. `rungs upload` sends them, or the upload page in Chromium, which counts for none of
the CPU seconds. The first picture is there once a player can fetch the first fragment of every rung.

Whole films take hours. With --add a run keeps the rows of earlier ones that it does not measure itself, so that they
can be measured one by one:

    python -m tests.bench.overlap --seconds 600 --clips bbb_1080p24_56s.ts --layouts last
    python -m tests.bench.overlap --seconds 600 --clips bbb_1080p24_56s.ts --layouts first --add
    python -m tests.bench.overlap --clips phone --layouts last --client cli page --add
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.bench.clients import CLIENTS, Send
from tests.bench.footage import CLIPS, FAST_START, MEDIA, looped, phone_video
from tests.bench.installation import Installation, is_ready
from tests.bench.results import keep, kept_rows, markdown_table, merged
from tests.support.paced_line import PacedLine
from tests.support.streams import EventStream

PACES = (0.5, 1.0, 2.0)
SECONDS, PHONE_SECONDS = 50.0, 120.0  # of a video: what the clips have, and what people take
PHONE = "phone"
SLOWEST_SHARE, SLOWEST_SECONDS = 0.15, 15.0  # of the wait at once, at half the encoders' rate
EVEN_SHARE = 0.35  # at their rate
MOST_CPU = 1.03  # times as much as at once
LONG_SECONDS = 10.0  # a sending that takes longer shows its first picture before it ends
LAYOUTS = {"last": (), "first": FAST_START}
CREATED_SECONDS = 60.0  # until a client has begun, the browser with its start
HEAD = (
    "video, length, index",
    "client",
    "sent",
    "sending, s",
    "first picture after the first byte, s",
    "before the last byte",
    "ready after the last byte, s",
    "of at once",
    "CPU s",
    "of at once",
    "so it is",
    "day",
)
NAMED = 3  # the first cells of a row say what was measured


@dataclass(frozen=True, slots=True)
class Seen:
    """Seconds from the first byte to the `first` picture, the `last` byte and `ready`; CPU seconds of all of it."""

    first: float
    last: float
    ready: float
    cpu: float

    @property
    def wait(self) -> float:
        """Seconds from the last byte to `ready`."""
        return self.ready - self.last

    @property
    def early(self) -> bool:
        """Tell whether the first picture was there before the last byte."""
        return self.first < self.last


def sent(installation: Installation, video: Path, send: Send, port: int) -> Seen:
    """Send the video to this port, wait until it is ready, and delete its job."""
    before, began = installation.cpu_seconds(), time.monotonic()
    with ThreadPoolExecutor(1) as pool:
        watching = pool.submit(_watched, installation)
        send(video, port)
        job_id, took = watching.result()
    idle = installation.idle * (time.monotonic() - began)
    cpu = installation.cpu_seconds() - before - idle
    installation.delete(job_id)
    return Seen(took["first"], took["last"], took["ready"], cpu)


def _watched(installation: Installation) -> tuple[str, dict[str, float]]:
    """Watch the job from its creation on, which its first byte follows; return its id and when what was so."""
    with EventStream(installation.port, "/api/events", timeout=CREATED_SECONDS) as stream:
        job_id = next(sent.data["job_id"] for sent in stream if "job_id" in sent.data)
    conditions = {
        "first": installation.playable,
        "last": lambda job: bool(job["state"] != "uploading"),
        "ready": is_ready,
    }
    return job_id, installation.moments(job_id, conditions)


def rows_of(name: str, video: Path, client: str, paces: Sequence[float]) -> Iterator[tuple[list[str], bool]]:
    """Yield what is seen of a video at each pace, and whether that is as wanted.

    An installation of its own for each: the pace that one learns from a video would cut the next one otherwise.
    """
    send = CLIENTS[client]
    with Installation(os.cpu_count() or 1) as installation:
        at_once = sent(installation, video, send, installation.port)
    yield [name, client, "at once", *_told(at_once, at_once), "", _today()], True
    rate = video.stat().st_size / at_once.wait
    for pace in paces:
        with Installation(os.cpu_count() or 1) as installation, PacedLine(installation.port, pace * rate) as line:
            paced = sent(installation, video, send, line.port)
        well = is_wanted(pace, paced, at_once)
        yield [name, client, f"{pace:g} times", *_told(paced, at_once), "yes" if well else "**no**", _today()], well


def is_wanted(pace: float, paced: Seen, at_once: Seen) -> bool:
    """Tell whether what was sent at so many times the encoders' rate was soon there, for no more than it may cost."""
    shown = paced.early or paced.last <= LONG_SECONDS
    return shown and paced.cpu <= MOST_CPU * at_once.cpu and _is_soon(pace, paced.wait, paced.wait / at_once.wait)


def _is_soon(pace: float, seconds: float, share: float) -> bool:
    if pace < 1:
        return share <= SLOWEST_SHARE and seconds <= SLOWEST_SECONDS
    return share <= EVEN_SHARE or pace > 1


def _told(seen: Seen, at_once: Seen) -> list[str]:
    return [
        f"{seen.last:.1f}",
        f"{seen.first:.1f}",
        "yes" if seen.early else "no",
        f"{seen.wait:.1f}",
        f"{seen.wait / at_once.wait:.2f}",
        f"{seen.cpu:.1f}",
        f"{seen.cpu / at_once.cpu:.2f}",
    ]


def _today() -> str:
    return f"{dt.datetime.now(tz=dt.UTC):%Y-%m-%d}"


def made(clip: str, folder: Path, seconds: float, layout: str) -> Path:
    """Return a video of this length as MP4: the clip over and over."""
    video, options = folder / f"{Path(clip).stem}_{layout}.mp4", LAYOUTS[layout]
    if clip == PHONE:
        return phone_video(video, seconds, options)
    return looped(MEDIA / clip, video, seconds, options)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, help=f"of each video (default {SECONDS:g}, {PHONE} {PHONE_SECONDS:g})")
    parser.add_argument("--paces", type=float, nargs="+", default=PACES, help="(default %(default)s)")
    parser.add_argument("--clips", nargs="+", choices=(*CLIPS, PHONE), default=(*CLIPS, PHONE))
    parser.add_argument("--layouts", nargs="+", choices=tuple(LAYOUTS), default=tuple(LAYOUTS))
    parser.add_argument("--client", nargs="+", choices=tuple(CLIENTS), default=("cli",), help="(default %(default)s)")
    parser.add_argument("--add", action="store_true", help="keep the rows that this run does not measure")
    return parser.parse_args()


def main() -> int:
    """Print and keep the table, anew after each video; return 1 unless all that was measured is as wanted."""
    options, good = _options(), True
    rows = kept_rows("overlap", HEAD) if options.add else []
    for clip in options.clips:
        seconds = options.seconds or (PHONE_SECONDS if clip == PHONE else SECONDS)
        for layout in options.layouts:
            for client in options.client:
                with tempfile.TemporaryDirectory() as folder:
                    video = made(clip, Path(folder), seconds, layout)
                    for row, well in rows_of(f"{clip}, {seconds:g} s, {layout}", video, client, options.paces):
                        sys.stderr.write(f"{' | '.join(row)}\n")
                        rows = merged(rows, row, NAMED)
                        good &= well
                keep("overlap", "make bench-overlap", [markdown_table(HEAD, rows)])
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
