"""`make bench-overlap`: how much sooner a video is ready that was encoded while it was being uploaded.

    at once   over loopback: the wait that a user had before, from the last byte to `ready`
    paced     by `rungs upload` over a line of 0.5, 1 and 2 times the rate at which this machine encodes the video

A video is encoded at so many bytes a second as it has, over the seconds of the wait at once. All are MP4; the index is
last, as phones write it, or first.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.bench.footage import CLIPS, MEDIA
from tests.bench.installation import Installation, is_ready
from tests.bench.results import keep, markdown_table
from tests.support.paced_line import PacedLine

PACES = (0.5, 1.0, 2.0)
SECONDS = 50.0  # of a video: the clips have so many, and where one is looped its joint is encoded slower
SLOWEST_SHARE, SLOWEST_SECONDS = 0.15, 15.0  # of the wait at once, at half the encoders' rate
EVEN_SHARE = 0.35  # at their rate
MOST_CPU = 1.03  # times as much as at once
LAYOUTS = {"last": (), "first": ("-movflags", "+faststart")}


@dataclass(frozen=True, slots=True)
class Seen:
    """Seconds from the last byte to `ready`, and CPU seconds of the installation from the first byte on."""

    ready: float
    cpu: float


def sent(installation: Installation, video: Path, port: int) -> Seen:
    """Send the video by `rungs upload` to this port, wait until it is ready, and delete its job."""
    before, began = installation.cpu_seconds(), time.monotonic()
    command = [sys.executable, "-m", "infra.cli", "upload", "--json", str(video)]
    with tempfile.TemporaryDirectory() as remembered:
        environment = {**os.environ, "RUNGS_SERVER": f"http://127.0.0.1:{port}", "XDG_STATE_HOME": remembered}
        subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL)
    last = time.monotonic()
    (job,) = installation.jobs()
    installation.wait_for(job["id"], is_ready)
    ready = time.monotonic()
    cpu = installation.cpu_seconds() - before - installation.idle * (ready - began)
    installation.delete(job["id"])
    return Seen(ready - last, cpu)


def rows_of(name: str, video: Path, paces: Sequence[float]) -> Iterator[tuple[list[str], bool]]:
    """Yield what is seen of a video at each pace, and whether that is as wanted.

    An installation of its own for each: the pace that one learns from a video would cut the next one otherwise.
    """
    with Installation(os.cpu_count() or 1) as installation:
        at_once = sent(installation, video, installation.port)
    yield [name, "at once", f"{at_once.ready:.1f}", "1.00", f"{at_once.cpu:.1f}", "1.00", ""], True
    rate = video.stat().st_size / at_once.ready
    for pace in paces:
        with Installation(os.cpu_count() or 1) as installation, PacedLine(installation.port, pace * rate) as line:
            paced = sent(installation, video, line.port)
        share, cpu = paced.ready / at_once.ready, paced.cpu / at_once.cpu
        well = cpu <= MOST_CPU and _is_soon(pace, share, paced.ready)
        told = [f"{paced.ready:.1f}", f"{share:.2f}", f"{paced.cpu:.1f}", f"{cpu:.2f}"]
        yield [name, f"{pace:g} times", *told, "yes" if well else "**no**"], well


def _is_soon(pace: float, share: float, seconds: float) -> bool:
    if pace < 1:
        return share <= SLOWEST_SHARE and seconds <= SLOWEST_SECONDS
    return share <= EVEN_SHARE or pace > 1


def made(clip: Path, folder: Path, seconds: float, layout: str) -> Path:
    """Return a video of this length as MP4: the clip over and over."""
    video = folder / f"{clip.stem}_{layout}.mp4"
    source = ["-stream_loop", "-1", "-i", str(clip), "-t", f"{seconds:g}"]
    command = ["ffmpeg", "-nostdin", "-v", "error", *source, "-map", "0", "-c", "copy", *LAYOUTS[layout], str(video)]
    subprocess.run(command, check=True)
    return video


def main() -> int:
    """Print and keep the table; return 1 unless all is as wanted."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=SECONDS, help="of each video (default %(default)s)")
    parser.add_argument("--paces", type=float, nargs="+", default=PACES, help="(default %(default)s)")
    parser.add_argument("--clips", nargs="+", default=CLIPS, help="(default %(default)s)")
    parser.add_argument("--layouts", nargs="+", choices=tuple(LAYOUTS), default=tuple(LAYOUTS))
    options = parser.parse_args()
    head = ["video, index", "sent", "ready after the last byte, s", "of at once", "CPU s", "of at once", "so it is"]
    rows: list[list[str]] = []
    good = True
    with tempfile.TemporaryDirectory() as name:
        for clip in options.clips:
            for layout in options.layouts:
                video = made(MEDIA / clip, Path(name), options.seconds, layout)
                for row, well in rows_of(f"{clip}, {layout}", video, options.paces):
                    sys.stderr.write(f"{' | '.join(row)}\n")
                    rows.append(row)
                    good &= well
    told = f"{options.seconds:g} s of each clip."
    keep("overlap", f"make bench-overlap LENGTH={options.seconds:g}", [told, markdown_table(head, rows)])
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
