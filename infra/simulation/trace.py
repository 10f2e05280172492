"""A load from a file: CSV with a head, or JSON lines; one upload a line, in the order in which they came."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from math import ceil
from pathlib import Path
from typing import Any, Self, TextIO

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from infra.simulation.load import BYTES_PER_SECOND, Arrival
from infra.simulation.videos import LONGEST_SECONDS, Videos, length_at, step_of, step_of_cost
from storage.model.job import Priority
from storage.scheduling.costs import Calibration, cost_of_bytes
from storage.settings import SettingsError


class Line(BaseModel):
    """One upload. `at` and `seconds` (the video's length) in seconds, `cost` in encoder-seconds.

    The cost is taken as it stands, else that of 1080p of this length, else what its bytes let expect.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    at: float = Field(ge=0, allow_inf_nan=False)
    owner: str = ""
    cost: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    seconds: float | None = Field(default=None, gt=0, le=LONGEST_SECONDS, allow_inf_nan=False)
    bytes: int | None = Field(default=None, gt=0)
    priority: Priority = Priority.NORMAL

    @model_validator(mode="after")
    def _tells_the_work(self) -> Self:
        if self.cost is None and self.seconds is None and self.bytes is None:
            raise ValueError("one of cost, seconds and bytes is needed")
        return self


def read_trace(path: Path, videos: Videos) -> Iterator[Arrival]:
    """Yield the arrivals of the file as it is read. Raises SettingsError, which names the line."""
    last = 0.0
    try:
        with path.open(encoding="utf-8-sig", newline="") as text:
            for number, row in _rows(text):
                line = _checked(row, f"{path}, line {number}")
                if line.at < last:
                    raise SettingsError(f"{path}, line {number}: it came before the line above it.")
                last = line.at
                yield _arrival(line, videos)
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} cannot be read: {error}") from error


def _rows(text: TextIO) -> Iterator[tuple[int, object]]:
    """Yield number and content of each line: JSON if the first one begins with a brace."""
    if text.read(1) != "{":
        text.seek(0)
        reader = csv.DictReader(text)
        yield from ((reader.line_num, {name: told for name, told in row.items() if told}) for row in reader)
        return
    text.seek(0)
    for number, line in enumerate(text, start=1):
        if line.strip():
            yield number, _json(line)


def _json(line: str) -> object:
    try:
        return json.loads(line)
    except ValueError:
        return line


def _checked(row: object, place: str) -> Line:
    if not isinstance(row, Mapping):
        raise SettingsError(f"{place}: no JSON object stands there.")
    try:
        return Line.model_validate(row)
    except ValidationError as error:
        told = "; ".join(_told(problem) for problem in error.errors())
        raise SettingsError(f"{place}: {told}.") from error


def _told(problem: Mapping[str, Any]) -> str:
    name = ".".join(str(part) for part in problem["loc"])
    return f"{name}: {problem['msg']}" if name else str(problem["msg"])


def _arrival(line: Line, videos: Videos) -> Arrival:
    cost = line.cost
    if cost is None and line.seconds is None and line.bytes is not None:
        cost = cost_of_bytes(line.bytes, Calibration())
    step = step_of(line.seconds) if line.seconds is not None else step_of_cost(cost or 0.0)
    scale = 1.0 if cost is None else cost / videos.shape(step).cost
    size = line.bytes or ceil(length_at(step) * BYTES_PER_SECOND)
    return Arrival(line.at, line.owner, step, size, scale, line.priority)
