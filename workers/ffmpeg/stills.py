"""The commands of still pictures, of the poster and of the storyboard: pure, as those of `commands`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import ffmpeg

from storage.model.plan import Plan, Rung
from workers.ffmpeg.canvas_filters import on_canvas
from workers.ffmpeg.colour_filters import to_jpeg
from workers.ffmpeg.commands import as_coded, compiled, decoder, seeking
from workers.ffmpeg.filters import colour_at, even_picture, needs_one_size
from workers.ffmpeg.storyboard_layout import Sheet
from workers.sandbox.allowed_inputs import as_input, input_options

POSTER_SIDE = 540  # pixels; smaller posters look soft beside the player
POSTER_QUALITY = 3  # mjpeg scale 2..31; about 60-150 kB at 720p
PLACES = (0.1, 0.35, 0.6, 0.85)  # of the duration: behind titles and fades, and in different scenes
KEYFRAME_SECONDS = 10  # how far a keyframe is looked for: ordinary encoders set one at least so often
MOMENTS = (0.5, 0.8, None)  # of the duration, where keyframes are not enough; None is the beginning, without seeking
# A video no longer than this is decoded as a whole at once: moments of it often hold no keyframe, and decoding two in
# vain before that made the poster of a clip of 4 s take 3.3 s instead of 2.0.
BRIEF_SECONDS = 5.0
LATEST_MOMENT_SECONDS = 60.0  # a file without keyframes has to be decoded up to there
MOMENT_PICTURES = 6
MOMENT_SECONDS = 2.0  # longer than most fades and pans
UNSOUGHT_SECONDS = 20.0  # the beginning may well be black for longer, and there is no other place
JPEG_HEADER_BYTES = 400
# Measured at POSTER_QUALITY: black 0.005, a night without lights 0.008, a line of text on a page 0.018, films 0.04-0.3.
BLANK_BYTES_PER_PIXEL = 0.015

SHEET_QUALITY = 5


def keyframes_command(plan: Plan, url: str, folder: Path, *, crops: bool = False) -> list[str]:
    """Return the command that writes `<n>.jpg` for each of PLACES that has a keyframe near it.

    Keyframes cost a picture of decoding each, and no cross-fade lies in them: encoders set them at cuts. `crops` is
    what `workers.sandbox.ffmpeg_features.crops_by_itself` says.
    """
    # Where a container says that it begins behind its pictures, several places are its beginning: equal inputs, which
    # ffmpeg-python takes for one and refuses to use twice.
    sought = {options["ss"]: options for options in (_seeking(plan, plan.duration * place) for place in PLACES)}
    pictures = [
        (_keyframe(plan, url, {**options, **as_coded(plan.video, crops=crops)}), _behind(plan, options))
        for options in sought.values()
    ]
    return compiled([_poster(plan, *one, str(folder / f"{n}.jpg")) for n, one in enumerate(pictures)])


def moments(plan: Plan) -> tuple[float | None, ...]:
    """Return those of MOMENTS that are worth trying, in their order."""
    return MOMENTS if plan.duration > BRIEF_SECONDS else (None,)


def moment_command(plan: Plan, url: str, folder: Path, place: float | None, *, crops: bool = False) -> list[str]:
    """Return the command that decodes a moment from a place of MOMENTS on and writes pictures of it, `<n>.jpg`.

    `crops` is as for `keyframes_command`.
    """
    if place is None:
        step = min(UNSOUGHT_SECONDS, plan.duration) / MOMENT_PICTURES
        begin, sought = step / 2, as_coded(plan.video, crops=crops)
    else:
        step = MOMENT_SECONDS / MOMENT_PICTURES
        begin, sought = 0.0, as_coded(plan.video, crops=crops)
        sought |= _seeking(plan, min(plan.duration * place, LATEST_MOMENT_SECONDS))
    source = ffmpeg.input(as_input(url), **input_options(url), **decoder(plan.video), **sought, threads=1)
    # What is decoded without the keyframe before it is grey or smeared: MPEG-TS is sought without looking for one.
    shown = source[str(plan.video.stream)].filter("select", f"st(0,ld(0)+key)*gte(t,{begin:.3f})")
    pictures = shown.filter("fps", f"{1 / step:.6f}")
    pattern = f"{str(folder).replace('%', '%%')}/%d.jpg"
    return compiled([_poster(plan, pictures, _behind(plan, sought), pattern, count=MOMENT_PICTURES)])


def best_poster(sizes: Mapping[Path, int], rung: Rung) -> Path | None:
    """Return the best of several JPEGs of the rung's size by their bytes, None if none of them is worth showing.

    The more a picture shows, and the sharper, the more bytes it takes: the middle one is neither blank nor blurred, nor
    is it a cross-fade, which shows two pictures at once.
    """
    blank = JPEG_HEADER_BYTES + BLANK_BYTES_PER_PIXEL * rung.width * rung.height
    shown = sorted(path for path, size in sizes.items() if size > blank)
    return sorted(shown, key=sizes.__getitem__)[len(shown) // 2] if shown else None


def early_poster_command(encoded: Path, target: Path) -> list[str]:
    """Return the command that writes the first picture of a segment that was encoded just now, as it is."""
    source = ffmpeg.input(as_input(str(encoded)), **input_options(str(encoded)), skip_frame="nokey", threads=1)
    return compiled([_still(source["v:0"], str(target), POSTER_QUALITY)])


def poster_rung(plan: Plan) -> Rung:
    """Return the smallest rung that still fills a page: 720p where there is one."""
    return next((rung for rung in reversed(plan.rungs) if min(rung.width, rung.height) >= POSTER_SIDE), plan.rungs[0])


def sheet_command(keyframes: Path, sheet: Sheet, target: Path) -> list[str]:
    """Return the command that lays out the first pictures of the file's fragments, in their order, on one sheet."""
    # The file begins a fragment at each keyframe and has no other fragments, so these are its keyframes.
    source = ffmpeg.input(as_input(str(keyframes)), **input_options(str(keyframes)), skip_frame="nokey", threads=1)
    picture = (
        source["v:0"]
        .filter("scale", sheet.width, sheet.height, flags="area")  # averages: far smaller pictures flicker otherwise
        .filter("tile", f"{sheet.columns}x{sheet.rows}")
    )
    return compiled([_still(picture, str(target), SHEET_QUALITY)])


def _keyframe(plan: Plan, url: str, sought: dict[str, Any]) -> Any:
    options = {**decoder(plan.video), "skip_frame": "nokey", "t": KEYFRAME_SECONDS, "threads": 1}
    return ffmpeg.input(as_input(url), **input_options(url), **sought, **options)[str(plan.video.stream)]


def _seeking(plan: Plan, seconds: float) -> dict[str, Any]:
    return seeking(plan, plan.video.start_time + seconds)


def _behind(plan: Plan, sought: dict[str, Any]) -> float:
    """Return how much less than the source's clock that of pictures shows, which begins where ffmpeg sought."""
    return plan.video.container_start + float(sought.get("ss", 0))


def _poster(plan: Plan, pictures: Any, behind: float, target: str, *, count: int = 1) -> Any:
    video = plan.video
    if needs_one_size(video):
        pictures = on_canvas(pictures, video, behind=behind)
    if video.interlaced:
        pictures = pictures.filter("field", "top")  # one field has no combs, and lines enough for a poster
    # The picture may lie before the place that was sought, and ffmpeg drops what comes before 0.
    numbered = pictures.filter("setpts", "N")
    picture = even_picture(numbered, video, poster_rung(plan), colour_at(video, behind))
    return _still(picture, target, POSTER_QUALITY, count=count)


def _still(pictures: Any, target: str, quality: int, *, count: int = 1) -> Any:
    options: dict[str, Any] = {
        "frames:v": count,
        "fps_mode": "passthrough",  # ffmpeg 7 repeats pictures of unknown rate until they are 25 a second
        "q:v": quality,
        "map_metadata": -1,
        "f": "image2",
    }
    return ffmpeg.output(to_jpeg(pictures), target, **options, **({"update": 1} if count == 1 else {}))
