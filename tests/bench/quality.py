"""Measure bitrate, CPU time and VMAF of x264 settings for the ladder, as rows of a Markdown table.

One row per clip, rung and combination. The encodes are made by the installed ffmpeg in the shape the encoder workers
use: one decode, `split`, cascaded scaling, one x264 thread per rung, an IDR at every fragment border. VMAF needs an
ffmpeg with libvmaf, named by `--vmaf-ffmpeg` or `VMAF_FFMPEG`; lower rungs are compared upscaled to the source.

    python tests/bench/quality.py --presets veryfast,faster --crf 20,23
"""

from __future__ import annotations

import argparse
import csv
import itertools
import json
import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from statistics import fmean, quantiles
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MEDIA = Path(__file__).resolve().parents[3] / "shared" / "media" / "bench"
CLIPS = (MEDIA / "bbb_1080p24_56s.ts", MEDIA / "highway_dashcam_1080p25_50s.ts")
RUNGS = {"1080p": (1920, 1080), "720p": (1280, 720), "480p": (854, 480)}
FRAGMENT_SECONDS = 4
B_FRAMES = 3
HEADINGS = (
    "clip", "rung", "preset", "CRF", "options", "kbit/s", "worst 1 s",
    "ladder CPU s/s", "peak MB", "VMAF mean", "VMAF 1 %", "VMAF min",
)  # fmt: skip
ZIMG = "zimg-"
NO_VMAF = (
    "no ffmpeg with libvmaf: install the PyPI package imageio-ffmpeg in a virtual environment of its own "
    "(pip install imageio-ffmpeg) and set VMAF_FFMPEG, or --vmaf-ffmpeg, to what "
    '`python -c "import imageio_ffmpeg; print(imageio_ffmpeg.get_ffmpeg_exe())"` prints there; '
    "--no-vmaf measures bitrate and CPU only"
)


@dataclass(frozen=True)
class Combination:
    """One set of x264 and scaler settings, the same for every rung except CRF and cap."""

    preset: str
    crf: dict[str, float]
    scaler: str
    extra: tuple[str, ...]
    caps: dict[str, tuple[int, int]]

    def x264_args(self, rung: str, fragment_frames: int) -> list[str]:
        """Return the encoder's output options for one rung."""
        args = ["-c:v", "libx264", "-preset", self.preset, "-crf", f"{self.crf[rung]:g}", "-threads", "1"]
        args += ["-profile:v", "high", "-pix_fmt", "yuv420p", "-bf", str(B_FRAMES), "-g", str(fragment_frames)]
        args += ["-force_key_frames", f"expr:not(mod(n,{fragment_frames}))"]
        if rung in self.caps:
            maxrate, bufsize = self.caps[rung]
            args += ["-maxrate", f"{maxrate}k", "-bufsize", f"{bufsize}k"]
        return [*args, *self.extra]

    def label(self, rung: str) -> str:
        """Describe for the table what differs from the preset's own settings."""
        cap = ["cap {}/{}".format(*self.caps[rung])] if rung in self.caps else []
        return " ".join([self.scaler, *self.extra, *cap])


@dataclass(frozen=True)
class Slice:
    """A part of a clip, cut without re-encoding."""

    name: str
    path: Path
    rate: Fraction
    frames: int

    @property
    def seconds(self) -> float:
        """Return the length of the slice."""
        return float(self.frames / self.rate)


@dataclass(frozen=True)
class Cost:
    """What one child process used."""

    cpu_seconds: float
    peak_megabytes: float


@dataclass(frozen=True)
class Score:
    """VMAF of one encode: mean, 1st percentile and worst frame."""

    mean: float
    low: float
    worst: float


def run(command: Sequence[str | Path]) -> Cost:
    """Run a command to its end and return its own CPU time and memory; stop on failure."""
    with tempfile.TemporaryFile() as errors:
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=errors)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode:
            errors.seek(0)
            tail = errors.read().decode(errors="replace")[-2000:]
            sys.exit(f"{command[0]} ended with {child.returncode}:\n{tail}")
    return Cost(usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def packets(path: Path) -> tuple[Fraction, list[int]]:
    """Return the frame rate and the size of every video packet, in decoding order."""
    command = ["ffprobe", "-v", "error", "-select_streams", "v:0", "-of", "json"]
    command += ["-show_entries", "packet=size:stream=avg_frame_rate", str(path)]
    found = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    return Fraction(found["streams"][0]["avg_frame_rate"]), [int(packet["size"]) for packet in found["packets"]]


def cut(clip: Path, start: float, length: float, scratch: Path) -> Slice:
    """Cut a slice that begins with the first keyframe at or after `start`."""
    path = scratch / f"{clip.stem}.mkv"
    seek = ["-ss", str(start), "-i", str(clip), "-t", str(length)]
    run(["ffmpeg", "-v", "error", "-y", *seek, "-map", "0:v:0", "-c", "copy", path])
    rate, sizes = packets(path)
    return Slice(clip.stem, path, rate.limit_denominator(1001), len(sizes))


def resizing(width: int, height: int, scaler: str) -> str:
    """Return the filter that scales: swscale's with these flags, or zimg's with the filter named behind `zimg-`."""
    if scaler.startswith(ZIMG):
        return f"zscale={width}:{height}:filter={scaler.removeprefix(ZIMG)}"
    return f"scale={width}:{height}:flags={scaler}"


def ladder_graph(rungs: Sequence[str], scaler: str) -> str:
    """Return the filter graph that makes each rung from the one above it, as pads `[1080p]` and so on."""
    chains, feed = [], "0:v:0"
    for number, rung in enumerate(rungs):
        width, height = RUNGS[rung]
        scaled = f"[{feed}]{resizing(width, height, scaler)}" if height != RUNGS["1080p"][1] else f"[{feed}]null"
        last = number == len(rungs) - 1
        chains.append(f"{scaled}[{rung}]" if last else f"{scaled},split=2[{rung}][below{rung}]")
        feed = f"below{rung}"
    return ";".join(chains)


def encode(source: Slice, combination: Combination, rungs: Sequence[str], folder: Path) -> Cost:
    """Encode all rungs of a slice in one process, as `<rung>.mp4` in `folder`."""
    fragment_frames = round(FRAGMENT_SECONDS * source.rate)
    command: list[str | Path] = ["ffmpeg", "-v", "error", "-nostdin", "-y", "-threads", "1"]
    command += ["-filter_complex_threads", "1", "-i", source.path]
    command += ["-filter_complex", ladder_graph(rungs, combination.scaler)]
    for rung in rungs:
        command += ["-map", f"[{rung}]", "-fps_mode", "passthrough"]
        command += [*combination.x264_args(rung, fragment_frames), folder / f"{rung}.mp4"]
    return run(command)


def bitrates(path: Path, rate: Fraction) -> tuple[float, float]:
    """Return the mean bitrate and that of the worst second, in kbit/s."""
    _, sizes = packets(path)
    window = min(round(rate), len(sizes))
    sums = list(itertools.accumulate(sizes, initial=0))
    worst = max(after - before for before, after in zip(sums, sums[window:], strict=False))
    per_packet = float(rate) * 8 / 1000
    return sums[-1] / len(sizes) * per_packet, worst / window * per_packet


def vmaf(binary: str, encoded: Path, source: Slice, every: int) -> Score:
    """Compare an encode, upscaled to 1080 lines, with its source, frame by frame."""
    width, height = RUNGS["1080p"]
    log = encoded.with_suffix(".json")
    number_frames = "settb=1/1000,setpts=N*40"
    graph = (
        f"[0:v]scale={width}:{height}:flags=bicubic,{number_frames}[encoded];[1:v]{number_frames}[source];"
        f"[encoded][source]libvmaf=n_threads=1:n_subsample={every}:log_fmt=json:log_path={log}"
    )
    run([binary, "-v", "error", "-nostdin", "-i", encoded, "-i", source.path, "-lavfi", graph, "-f", "null", "-"])
    scores = [frame["metrics"]["vmaf"] for frame in json.loads(log.read_text())["frames"]]
    if len(scores) != -(-source.frames // every):
        sys.exit(f"{encoded.name} of {source.name}: {len(scores)} frames compared of {source.frames}")
    return Score(fmean(scores), quantiles(scores, n=100, method="inclusive")[0], min(scores))


def measure(source: Slice, combination: Combination, options: argparse.Namespace) -> list[tuple[str, ...]]:
    """Encode one combination and return its table rows, one per rung."""
    rows = []
    with tempfile.TemporaryDirectory(prefix="quality-") as name:
        folder = Path(name)
        costs = [encode(source, combination, options.rungs, folder) for _ in range(options.repeat)]
        cost = min(costs, key=lambda one: one.cpu_seconds)
        for rung in options.rungs:
            encoded = folder / f"{rung}.mp4"
            mean, worst = bitrates(encoded, source.rate)
            score = vmaf(options.vmaf_ffmpeg, encoded, source, options.every) if options.vmaf else None
            marks = [f"{mark:.2f}" for mark in (score.mean, score.low, score.worst)] if score else ["", "", ""]
            numbers = [f"{mean:.0f}", f"{worst:.0f}", f"{cost.cpu_seconds / source.seconds:.3f}"]
            settings = [combination.preset, f"{combination.crf[rung]:g}", combination.label(rung)]
            rows.append((source.name, rung, *settings, *numbers, f"{cost.peak_megabytes:.0f}", *marks))
    return rows


def combinations(options: argparse.Namespace) -> Iterator[Combination]:
    """Yield every preset with every CRF set."""
    for preset, crf in itertools.product(options.presets, options.crf):
        yield Combination(preset, crf, options.scaler, tuple(options.extra.split()), options.caps)


def crf_set(text: str) -> dict[str, float]:
    """Read `23`, or one value per rung as `23/22/21`."""
    values = [float(part) for part in text.split("/")]
    if len(values) not in {1, len(RUNGS)}:
        raise argparse.ArgumentTypeError(f"{text}: one CRF, or {len(RUNGS)} separated by /")
    return dict(zip(RUNGS, itertools.cycle(values), strict=False))


def cap_set(text: str) -> dict[str, tuple[int, int]]:
    """Read `1080p=6000:12000,720p=...` as maxrate and bufsize in kbit."""
    caps = {}
    for part in filter(None, text.split(",")):
        rung, _, values = part.partition("=")
        maxrate, _, bufsize = values.partition(":")
        if rung not in RUNGS or not (maxrate.isdigit() and bufsize.isdigit()):
            raise argparse.ArgumentTypeError(f"{part}: expected RUNG=MAXRATE:BUFSIZE")
        caps[rung] = (int(maxrate), int(bufsize))
    return caps


def rung_list(text: str) -> list[str]:
    """Read rung names, highest first."""
    names = text.split(",")
    if unknown := set(names) - set(RUNGS):
        raise argparse.ArgumentTypeError(f"unknown rungs: {', '.join(sorted(unknown))}")
    return [rung for rung in RUNGS if rung in names]


def sampling_step(text: str) -> int:
    """Read an odd step: an even one beats with the B-frame pattern (BBBP) and scores mostly the better P frames."""
    step = int(text)
    if step < 1 or step % 2 == 0:
        raise argparse.ArgumentTypeError(f"{text}: an odd number, as an even step meets the B-frame pattern")
    return step


def has_libvmaf(binary: str | None) -> bool:
    """Say whether `binary` is an ffmpeg that was built with libvmaf."""
    if not binary or not shutil.which(binary):
        return False
    filters = subprocess.run([binary, "-hide_banner", "-filters"], check=False, capture_output=True, text=True)
    return " libvmaf " in filters.stdout


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--clips", nargs="+", type=Path, default=CLIPS, help="1080p clips (default: the two of shared/media/bench)")
    add("--start", type=float, default=8, help="seconds into each clip (default %(default)s)")
    add("--length", type=float, default=16, help="seconds of each clip (default %(default)s)")
    add("--rungs", type=rung_list, default=list(RUNGS), help="rungs to make, e.g. 1080p,720p (default: all)")
    add("--presets", type=lambda text: text.split(","), default=["veryfast"], help="x264 presets, separated by commas")
    add("--crf", type=lambda text: [crf_set(one) for one in text.split(",")], default=[crf_set("23")],
        help="CRFs, separated by commas; each one number or one per rung, 23/22/21")  # fmt: skip
    add("--scaler", default="bicubic", help="swscale's flags, or zimg-FILTER for zimg (default %(default)s)")
    add("--extra", default="", help="further encoder options, e.g. '-x264-params aq-mode=2'")
    add("--caps", type=cap_set, default={}, help="VBV in kbit, e.g. 1080p=6000:12000,720p=3000:6000")
    add("--repeat", type=int, default=1, help="encode this often and keep the lowest CPU time (default %(default)s)")
    add("--every", type=sampling_step, default=1, help="compare each n-th frame only, n odd (default %(default)s)")
    add("--jobs", type=int, default=1, help="combinations measured at the same time (default %(default)s)")
    add("--no-vmaf", dest="vmaf", action="store_false", help="bitrate and CPU only")
    add("--vmaf-ffmpeg", default=os.environ.get("VMAF_FFMPEG"), help="ffmpeg with libvmaf (default: $VMAF_FFMPEG)")
    return parser.parse_args(arguments)


def main() -> None:
    """Print the table."""
    options = parse()
    if options.vmaf and not has_libvmaf(options.vmaf_ffmpeg):
        sys.exit(NO_VMAF)
    if absent := [str(clip) for clip in options.clips if not clip.is_file()]:
        sys.exit(f"no such clip: {', '.join(absent)}")
    table = csv.writer(sys.stdout, delimiter="|", lineterminator="|\n", quoting=csv.QUOTE_NONE, escapechar="\\")
    table.writerow(("", *HEADINGS))
    table.writerow(("", *("---" for _ in HEADINGS)))
    with tempfile.TemporaryDirectory(prefix="quality-") as scratch, ThreadPoolExecutor(options.jobs) as pool:
        slices = [cut(clip, options.start, options.length, Path(scratch)) for clip in options.clips]
        work = itertools.product(slices, combinations(options))
        for rows in pool.map(lambda pair: measure(pair[0], pair[1], options), work):
            table.writerows(("", *row) for row in rows)
            sys.stdout.flush()


if __name__ == "__main__":
    main()
