"""The pages: upload and recent jobs, one job, the queue. They show what the API answers, in words."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, jsonify, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from storage.errors import InvalidRequestError
from storage.model.job import Job, JobState
from storage.public.job_json import job_json
from storage.services import Services
from storage.settings import Settings
from web.context import current
from web.routes.owned import OWNER, owned_job
from web.routes.queue import queue_json
from web.schemas.jobs import RECENT_JOBS
from web.schemas.queue import QUEUE_SHOWN
from web.words import job_words, queue_words
from web.words.job_page import on_page
from web.words.language import COOKIE, COOKIE_SECONDS, LANGUAGES
from web.words.texts import plurals, texts

FAVICONS = ("idle", "busy", "ready", "failed")

# What scripts copy for a job that they add to a list, and fill in.
BLANK_JOB = job_json(Job(id="0" * 32, owner="", title="", filename="", size=0, created_at=0.0))


def blueprint(settings: Settings, services: Services) -> Blueprint:
    """Return the routes of all pages over these parts; templates get `words`, `texts` and `plurals`."""
    pages = Blueprint("pages", __name__)

    @pages.app_context_processor
    def names() -> dict[str, object]:
        return {"words": job_words, "texts": texts, "plurals": plurals}

    @pages.get("/")
    def index() -> str:
        page = services.jobs.page(owner=OWNER, state=None, limit=RECENT_JOBS, cursor=None)
        return render_template(
            "index.html",
            jobs=_rows(_seen(page.jobs)),
            cursor=page.cursor,
            blank_job=BLANK_JOB,
            max_upload_bytes=settings.max_upload_bytes,
        )

    @pages.get("/jobs/<job_id>")
    def job(job_id: str) -> str:
        found = _on_page(current().views.of(owned_job(current(), job_id)))
        return render_template("job.html", job=found, favicons=_favicons())

    @pages.get("/jobs/<job_id>/words")
    def words_of_job(job_id: str) -> Response:
        return _fresh(_on_page(current().views.of(owned_job(current(), job_id))))

    @pages.get("/queue")
    def queue() -> str:
        jobs = _seen(_unfinished(services))
        return render_template(
            "queue.html",
            waiting=[job for job in jobs if job_words.waits(job)],
            active=[job for job in jobs if not job_words.waits(job)],
            queue=queue_words.worded(queue_json(current()), {job["id"]: job["title"] for job in jobs}),
            blank_job=BLANK_JOB,
        )

    @pages.get("/queue/words")
    def words_of_queue() -> Response:
        jobs = _seen(_unfinished(services))
        words = queue_words.worded(queue_json(current()), {job["id"]: job["title"] for job in jobs})
        return _fresh({**words, "jobs": _rows(jobs)})

    @pages.get("/rows")
    def rows() -> Response:
        cursor = request.args.get("cursor")
        page = services.jobs.page(owner=OWNER, state=None, limit=RECENT_JOBS, cursor=cursor)
        return _fresh({"jobs": _rows(_seen(page.jobs)), "cursor": page.cursor})

    pages.add_url_rule("/language", view_func=switch_language, methods=["POST"])
    return pages


def switch_language() -> Response:
    """Remember the language in a cookie and go back to the page. Raises InvalidRequestError for an unknown one."""
    chosen = request.form.get("language", "")
    if chosen not in LANGUAGES:
        raise InvalidRequestError("There are no pages in this language.")
    answer = redirect(local_path(request.form.get("next", "")), 303)
    answer.set_cookie(COOKIE, chosen, max_age=COOKIE_SECONDS, httponly=True, samesite="Lax", secure=request.is_secure)
    return answer


def local_path(path: str) -> str:
    """Return the path if it leads into this site, else the first page: nobody is sent elsewhere through us."""
    is_local = path.startswith("/") and not path.startswith("//") and path.isprintable() and "\\" not in path
    return path if is_local else "/"


def _unfinished(services: Services) -> list[Job]:
    pages = (
        services.jobs.page(owner=OWNER, state=state, limit=QUEUE_SHOWN, cursor=None)
        for state in JobState
        if not state.finished
    )
    return sorted((job for page in pages for job in page.jobs), key=lambda job: job.created_at)[:QUEUE_SHOWN]


def _seen(jobs: list[Job] | tuple[Job, ...]) -> list[dict[str, Any]]:
    views = current().views
    return [views.of(job) for job in jobs]


def _rows(jobs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the jobs with what their rows say, in the language of the request."""
    return [{**job, "words": job_words.in_row(job)} for job in jobs]


def _on_page(job: dict[str, Any]) -> dict[str, Any]:
    return {**job, "words": on_page(job)}


def _fresh(answer: dict[str, Any]) -> Response:
    made = jsonify(answer)
    made.headers["Cache-Control"] = "no-store"
    return made


def _favicons() -> dict[str, str]:
    return {name: url_for("static", filename=f"favicon-{name}.svg") for name in FAVICONS}
