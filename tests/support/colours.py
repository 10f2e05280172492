"""Colours by the book, in plain arithmetic: patches of known colours coded as a source has them, and read back.

Signals are 0..1 of red, green and blue; light is in nit (cd/m2). Nothing here asks the tools that are tested.
"""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from math import log
from pathlib import Path

Triple = tuple[float, float, float]
Rgb = Triple
Point = tuple[float, float]

SMALL, LARGE = 40, 128  # pixels of a patch's width: a row of ten is standard or high definition
HEIGHT = 80
CORE = 8  # pixels in the middle of a patch that are looked at: chroma and filters mix its edges
DISPLAY_GAMMA = 2.4  # BT.1886: what BT.709 is shown with
LUMA = {  # the matrices' weights of red and blue, by ffmpeg's names
    "bt709": (0.2126, 0.0722),
    "smpte170m": (0.299, 0.114),
    "bt470bg": (0.299, 0.114),
    "smpte240m": (0.212, 0.087),
    "bt2020nc": (0.2627, 0.0593),
}
TO_BT709 = {  # linear light of other primaries as BT.709's (all of D65)
    "bt709": ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)),
    "smpte170m": ((0.9395, 0.0502, 0.0103), (0.0178, 0.9658, 0.0164), (-0.0016, -0.0044, 1.0060)),
    "bt470bg": ((1.0440, -0.0440, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0118, 0.9882)),
    "bt2020": ((1.6605, -0.5876, -0.0728), (-0.1246, 1.1329, -0.0083), (-0.0182, -0.1006, 1.1187)),
    "smpte432": ((1.2249, -0.2247, 0.0), (-0.0420, 1.0419, 0.0), (-0.0196, -0.0786, 1.0979)),
}
FROM_BT709_TO_BT2020 = ((0.6274, 0.3293, 0.0433), (0.0691, 0.9195, 0.0114), (0.0164, 0.0880, 0.8956))
PATCHES: dict[str, Rgb] = {
    "white": (1, 1, 1),
    "grey": (0.5, 0.5, 0.5),
    "black": (0, 0, 0),
    "red": (1, 0, 0),
    "green": (0, 1, 0),
    "blue": (0, 0, 1),
    "yellow": (1, 1, 0),
    "skin": (0.80, 0.60, 0.50),
    "leaf": (0.30, 0.45, 0.20),
    "sky": (0.45, 0.60, 0.85),
}
_DEADLINE_SECONDS = 60


@dataclass(frozen=True)
class Coding:
    """How a source codes its colours: ffmpeg's names, bits a sample, chroma 420, 422 or 444."""

    matrix: str = "bt709"
    primaries: str = "bt709"
    transfer: str = "bt709"
    full: bool = False
    bits: int = 8
    chroma: int = 420

    @property
    def pixels(self) -> str:
        """The pixel format."""
        return f"yuv{self.chroma}p" + ("" if self.bits == 8 else f"{self.bits}le")

    @property
    def tags(self) -> list[str]:
        """Options of ffmpeg that say so in a file."""
        known = {"colorspace": self.matrix, "color_primaries": self.primaries, "color_trc": self.transfer}
        options = known | {"color_range": "pc" if self.full else "tv"}
        return [part for name, value in options.items() for part in (f"-{name}", value)]


def times(matrix: Sequence[Triple], light: Triple) -> Triple:
    """Return the product."""
    red, green, blue = (sum(a * b for a, b in zip(row, light, strict=True)) for row in matrix)
    return red, green, blue


def in_bt709(signal: Rgb, primaries: str) -> Rgb:
    """Return the BT.709 signal that shows what this one shows of other primaries, cut to what can be shown."""
    red, green, blue = signal
    light = red**DISPLAY_GAMMA, green**DISPLAY_GAMMA, blue**DISPLAY_GAMMA
    red, green, blue = times(TO_BT709[primaries], light)
    return cut(
        (max(0, red) ** (1 / DISPLAY_GAMMA), max(0, green) ** (1 / DISPLAY_GAMMA), max(0, blue) ** (1 / DISPLAY_GAMMA))
    )


def cut(signal: Rgb) -> Rgb:
    """Return the signal as a screen shows it: nothing below black or above white."""
    red, green, blue = (min(1.0, max(0.0, part)) for part in signal)
    return red, green, blue


def samples_of(signal: Rgb, coding: Coding) -> list[int]:
    """Return the three numbers that a source of this coding holds for the signal."""
    red, green, blue = signal
    kr, kb = LUMA[coding.matrix]
    luma = kr * red + (1 - kr - kb) * green + kb * blue
    differences = (blue - luma) / (2 - 2 * kb), (red - luma) / (2 - 2 * kr)
    step, most = 2 ** (coding.bits - 8), 2**coding.bits - 1
    scale, offset, swing = (most, 0, most) if coding.full else (219 * step, 16 * step, 224 * step)
    numbers = (luma * scale + offset, *(part * swing + 128 * step for part in differences))
    return [min(most, max(0, round(number))) for number in numbers]


def signal_of(samples: Triple, *, matrix: str = "bt709", full: bool = False) -> Rgb:
    """Return the signal of numbers of 8 bits."""
    kr, kb = LUMA[matrix]
    luma = samples[0] / 255 if full else (samples[0] - 16) / 219
    swing = 255 if full else 224
    red = luma + (samples[2] - 128) / swing * (2 - 2 * kr)
    blue = luma + (samples[1] - 128) / swing * (2 - 2 * kb)
    return red, (luma - kr * red - kb * blue) / (1 - kr - kb), blue


def pq(nits: float) -> float:
    """Return the PQ signal (SMPTE ST 2084) of light."""
    light = (max(0.0, nits) / 10_000) ** 0.1593017578125
    return float(((0.8359375 + 18.8515625 * light) / (1 + 18.6875 * light)) ** 78.84375)


def hlg(nits: Triple) -> Rgb:
    """Return the HLG signal (BT.2100) that a display of 1000 nit shows as this light of BT.2020's primaries."""
    red, green, blue = (max(0.0, part) / 1000 for part in nits)
    luminance = 0.2627 * red + 0.6780 * green + 0.0593 * blue
    system = luminance ** (1 / 1.2 - 1) if luminance else 0.0
    return _hlg(red * system), _hlg(green * system), _hlg(blue * system)


def _hlg(scene: float) -> float:
    return (3 * scene) ** 0.5 if scene <= 1 / 12 else 0.17883277 * log(12 * scene - 0.28466892) + 0.55991073


def write_patches(path: Path, signals: Sequence[Rgb], coding: Coding, *, width: int, output: Sequence[str]) -> Path:
    """Write a second of a row of patches, `width` pixels each, without loss; `output` are ffmpeg's further options."""
    step = {420: (2, 2), 422: (2, 1), 444: (1, 1)}[coding.chroma]
    samples, size = [samples_of(signal, coding) for signal in signals], 1 if coding.bits == 8 else 2

    def plane(number: int, across: int, down: int) -> bytes:
        row = b"".join(sample[number].to_bytes(size, "little") * (width // across) for sample in samples)
        return row * (HEIGHT // down)

    picture = plane(0, 1, 1) + plane(1, *step) + plane(2, *step)
    raw = ["-f", "rawvideo", "-pix_fmt", coding.pixels, "-s", f"{width * len(signals)}x{HEIGHT}", "-r", "10"]
    command = ["ffmpeg", "-v", "error", *raw, *coding.tags, "-i", "-", *output, str(path)]
    subprocess.run(command, check=True, timeout=_DEADLINE_SECONDS, input=picture * 10)
    return path


def read_patches(path: Path, count: int, *, matrix: str = "bt709", full: bool = False) -> list[Rgb]:
    """Return the signals of a row of so many patches in the first picture."""
    return read_points(
        path, [((2 * number + 1) / (2 * count), 0.5) for number in range(count)], matrix=matrix, full=full
    )


def read_points(path: Path, points: Sequence[Point], *, matrix: str = "bt709", full: bool = False) -> list[Rgb]:
    """Return the signals around points (shares of width and height) of the first picture of a 4:2:0 video or JPEG."""
    asked = ["-select_streams", "v:0", "-show_entries", "stream=width,height", "-of", "csv=p=0", str(path)]
    shown = subprocess.run(
        ["ffprobe", "-v", "error", *asked], check=True, timeout=_DEADLINE_SECONDS, capture_output=True
    )
    width, height = map(int, shown.stdout.decode().strip(",\n").split(","))
    raw = ["-frames:v", "1", "-f", "rawvideo", "-"]  # in the file's own format: nothing is converted
    command = ["ffmpeg", "-nostdin", "-v", "error", "-i", str(path), *raw]
    data = subprocess.run(command, check=True, timeout=_DEADLINE_SECONDS, capture_output=True).stdout
    half, rest = width // 2, width * height
    found = []
    for across, down in points:
        x, y = round(across * width), round(down * height)
        luma = _mean(data[:rest], width, (x, y), CORE)
        blue = _mean(data[rest : rest * 5 // 4], half, (x // 2, y // 2), CORE // 2)
        red = _mean(data[rest * 5 // 4 :], half, (x // 2, y // 2), CORE // 2)
        found.append(signal_of((luma, blue, red), matrix=matrix, full=full))
    return found


def _mean(plane: bytes, width: int, middle: tuple[int, int], side: int) -> float:
    left, top = middle[0] - side // 2, middle[1] - side // 2
    return sum(sum(plane[row * width + left :][:side]) for row in range(top, top + side)) / side**2


def worst(found: Sequence[Rgb], expected: Sequence[Rgb]) -> float:
    """Return the largest difference of a component that a screen shows."""
    pairs = zip(map(cut, found), expected, strict=True)
    return max(abs(a - b) for one, other in pairs for a, b in zip(one, other, strict=True))
