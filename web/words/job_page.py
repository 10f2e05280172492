"""What a job's page says as long as it lives: its script fetches these words, and events carry them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from web.words.job_words import (
    FINAL_CODES,
    FINISHED,
    STEPS,
    Job,
    advice,
    fraction,
    headline,
    percent,
    picture_line,
    plan,
    reason,
    size,
    step_class,
    text,
    warned,
)


def on_page(job: Job) -> dict[str, Any]:
    """Return the words of the whole page of the job, in the language of the request."""
    state = text(f"state.{job['state']}")
    return {
        "state": state,
        "steps": {step: step_class(job, step) for step in STEPS},
        "failure": None if job["error"] is None else _failure(job["error"]),
        "heading": text("ladder.downloads" if job["state"] == "ready" else "ladder.progress"),
        "percent": percent(fraction(job)),
        "fraction": fraction(job),
        "size": size(job["size"] or None),
        "headline": headline(job),
        "announcement": f"{state}, {percent(fraction(job))}. {headline(job)}",
        "rungs": [_rung(rung) for rung in job["rungs"]],
        "picture": picture_line(job),
        "plan": plan(job) if job["plan"] else "",
        "warnings": [warned(warning) for warning in job["warnings"]],
        "notification": text(f"notify.{job['state']}", title=job["title"]) if job["state"] in FINISHED else "",
    }


def _failure(error: Any) -> dict[str, Any]:
    return {"reason": reason(error), "advice": advice(error), "final": error["code"] in FINAL_CODES}


def _rung(rung: Mapping[str, Any]) -> dict[str, str]:
    """Return the words of one rung; `download` names its link, empty while there is nothing to load."""
    loaded = "" if rung["url"] is None else text("rung.download", name=rung["name"], size=size(rung["size"]))
    return {
        "pixels": text("rung.size", width=rung["width"], height=rung["height"]),
        "label": text("rung.progress", name=rung["name"]),
        "percent": percent(rung["progress"]),
        "size": "" if rung["url"] is None else size(rung["size"]),
        "download": loaded,
    }
