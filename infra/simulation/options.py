"""The options of `rungs simulate`, with their units."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from math import isfinite
from pathlib import Path

from infra.simulation.disciplines import NAMES
from infra.simulation.load import MIXES

MIX_WORDS = "; ".join(f"{name}: {mix.about}" for name, mix in MIXES.items())
DISCIPLINE_WORDS = "; ".join(f"{name}: {about}" for name, about in NAMES.items())


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add all options of the command."""
    _add_slots(parser)
    _add_load(parser)
    _add_admission(parser)
    parser.add_argument(
        "--discipline",
        action="append",
        choices=NAMES,
        help=f"whose task is next; may be given more than once (default: all). {DISCIPLINE_WORDS}",
    )
    parser.add_argument("--plot", type=Path, metavar="FILE.svg", help="draw the figures too; needs matplotlib")


def _add_slots(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--encoders", type=whole, default=10, metavar="SLOTS", help="encoder slots (default: 10)")
    parser.add_argument(
        "--control",
        type=whole,
        metavar="SLOTS",
        help="slots that plan and package (default: twice what the load needs)",
    )


def _add_load(parser: argparse.ArgumentParser) -> None:
    amount = parser.add_mutually_exclusive_group()
    amount.add_argument(
        "--rho", type=positive, help="load: the encoder-seconds that come in a second, for each slot (default: 0.8)"
    )
    amount.add_argument("--jobs-a-day", type=positive, metavar="JOBS", help="load: uploads in 24 hours")
    amount.add_argument(
        "--trace",
        type=Path,
        metavar="FILE",
        help="load: a file of uploads, CSV with a head or JSON lines: at (seconds), owner, priority, and one of cost "
        "(encoder-seconds), seconds (of video, 1080p) and bytes",
    )
    parser.add_argument("--hours", type=positive, default=8.0, help="how long uploads come (default: 8)")
    parser.add_argument(
        "--mix", choices=MIXES, default="mixed", help=f"lengths of videos (default: mixed). {MIX_WORDS}"
    )
    parser.add_argument(
        "--owners",
        type=whole,
        default=1000,
        help="people who upload; the n-th brings 1/n of the first's (default: 1000)",
    )
    parser.add_argument("--seed", type=int, default=1, help="the same seed, the same uploads (default: 1)")


def _add_admission(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--max-wait",
        type=positive,
        metavar="SECONDS",
        help="uploads are refused while accepted work lasts longer (default: ADMISSION_MAX_WAIT_SECONDS)",
    )
    parser.add_argument(
        "--owner-max-jobs",
        type=whole,
        metavar="JOBS",
        help="unfinished jobs of one owner; one more is refused (default: OWNER_MAX_JOBS)",
    )
    parser.add_argument(
        "--returning",
        type=share,
        default=1.0,
        metavar="SHARE",
        help="part, 0 to 1, of the refused who come back when Retry-After says (default: 1)",
    )


def _number(kind: Callable[[str], float], accepted: Callable[[float], bool], words: str) -> Callable[[str], float]:
    def read(text: str) -> float:
        try:
            value = kind(text)
        except ValueError:
            value = float("nan")
        if not accepted(value):
            raise argparse.ArgumentTypeError(f"{text} is not {words}")
        return value

    return read


whole = _number(int, lambda value: value >= 1, "a whole number from 1 on")
positive = _number(float, lambda value: value > 0 and isfinite(value), "a number above 0")
share = _number(float, lambda value: 0 <= value <= 1, "a number from 0 to 1")
