"""Choosing a poster by the bytes of its pictures."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from storage.model.plan import Rung
from tests.support.jobs import make_plan
from workers.ffmpeg.stills import BRIEF_SECONDS, MOMENTS, best_poster, keyframes_command, moments, poster_rung

RUNG = Rung("720p", 1280, 720, 22, 3_500_000, 7_000_000)
BLACK, NIGHT, BLURRED, CALM, FILM, CROSS_FADE = 5_621, 7_289, 16_000, 38_000, 90_000, 190_000  # bytes, as measured


@pytest.mark.parametrize(
    ("sizes", "best"),
    [
        ((BLACK, BLACK, BLACK, FILM), FILM),
        ((BLACK, CALM, FILM, BLACK), FILM),
        ((BLURRED, FILM, CROSS_FADE), FILM),
        ((FILM, CALM, CROSS_FADE, BLURRED), FILM),
        ((FILM,), FILM),
        ((BLACK, NIGHT, BLACK, BLACK), None),
        ((), None),
    ],
)
def test_the_middle_one_of_those_that_show_something(sizes: tuple[int, ...], best: int | None) -> None:
    """Neither blank nor blurred nor a cross-fade; none where all are blank."""
    made = {Path(f"{number}.jpg"): size for number, size in enumerate(sizes)}
    chosen = best_poster(made, RUNG)
    assert (None if chosen is None else made[chosen]) == best


def test_the_same_pictures_give_the_same_choice() -> None:
    """In whatever order a folder lists them, and where several are alike."""
    made = {Path(f"{number}.jpg"): FILM for number in range(4)}
    backwards = dict(reversed(made.items()))
    assert best_poster(made, RUNG) == best_poster(backwards, RUNG)


@pytest.mark.parametrize(("seconds", "tried"), [(BRIEF_SECONDS, (None,)), (BRIEF_SECONDS + 1, MOMENTS)])
def test_a_brief_video_is_decoded_as_a_whole(seconds: float, tried: tuple[float | None, ...]) -> None:
    """Its moments often hold no keyframe; a longer one is not decoded from its beginning before they were tried."""
    plan = make_plan(segments=1)
    assert moments(replace(plan, frames=int(seconds * plan.rate))) == tried


@pytest.mark.parametrize(
    ("behind", "sought"),
    [
        (0.0, ["1.000000", "3.500000", "6.000000", "8.500000"]),
        (5.0, ["0.000000", "1.000000", "3.500000"]),
        (50.0, ["0.000000"]),
    ],
)
def test_a_keyframe_is_sought_once(behind: float, sought: list[str]) -> None:
    """A container that says that it begins so many seconds behind its first picture is sought from its beginning."""
    plan = make_plan(segments=1)
    video = replace(plan.video, start_time=100.0, container_start=100.0 + behind)
    plan = replace(plan, rate_num=25, rate_den=1, frames=250, video=video)
    command = keyframes_command(plan, "original", Path("folder"))
    assert [value for option, value in pairwise(command) if option == "-ss"] == sought
    assert [word for word in command if word.endswith(".jpg")] == [f"folder/{n}.jpg" for n in range(len(sought))]


def test_a_poster_fills_a_page_and_no_more() -> None:
    """720p where there is one, else the largest of smaller ones."""
    small = Rung("360p", 640, 360, 22, 1_800_000, 3_600_000)
    plan = make_plan(segments=1)
    full_hd, film = plan.rungs
    assert poster_rung(replace(plan, rungs=(full_hd, RUNG, film))) == RUNG
    assert poster_rung(replace(plan, rungs=(film, small))) == film
