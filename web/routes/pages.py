"""The pages: upload and recent jobs, one job, the queue. They show what the API answers, in words."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, jsonify, redirect, render_template, request, url_for
from spectree import Response as Answers
from werkzeug.wrappers import Response

from storage.errors import InvalidRequestError
from storage.model.job import Job
from storage.model.upload import LONGEST_INDEX
from storage.public.job_json import job_json
from web.context import current
from web.http.openapi import AnyQuery, Page, Problem, Words, spec
from web.routes.owned import OWNER, owned_job
from web.routes.queue import queue_json, unfinished, uploading
from web.schemas.jobs import RECENT_JOBS, LanguageForm, RowsQuery
from web.words import job_words, queue_words
from web.words.job_page import on_page
from web.words.language import COOKIE, COOKIE_SECONDS, LANGUAGES
from web.words.texts import plurals, texts

FAVICONS = ("idle", "busy", "ready", "failed")

# What scripts copy for a job that they add to a list, and fill in.
BLANK_JOB = job_json(Job(id="0" * 32, owner="", title="", filename="", size=0, created_at=0.0))


blueprint = Blueprint("pages", __name__)


@blueprint.app_context_processor
def names() -> dict[str, object]:
    """Give the templates what words they need."""
    return {"words": job_words, "texts": texts, "plurals": plurals}


@blueprint.get("/")
@spec.validate(query=AnyQuery, resp=Answers(HTTP_200=Page, HTTP_503=Problem), tags=["pages"])
def index() -> str:
    """Show the form, and the recent jobs."""
    return render_template(
        "index.html",
        **_recent(cursor=None),
        blank_job=BLANK_JOB,
        max_upload_bytes=current().settings.max_upload_bytes,
        longest_index=LONGEST_INDEX,
    )


@blueprint.get("/rows")
@spec.validate(query=RowsQuery, resp=Answers(HTTP_200=Words, HTTP_503=Problem), tags=["pages"])
def rows() -> Response:
    """Return recent jobs with their words, for the first page's script."""
    return _fresh(_recent(request.args.get("cursor")))


@blueprint.get("/jobs/<job_id>")
@spec.validate(query=AnyQuery, resp=Answers(HTTP_200=Page, HTTP_404=Problem, HTTP_503=Problem), tags=["pages"])
def job(job_id: str) -> str:
    """Show one job."""
    return render_template("job.html", job=_on_page(job_id), favicons=_favicons())


@blueprint.get("/jobs/<job_id>/words")
@spec.validate(resp=Answers(HTTP_200=Words, HTTP_404=Problem, HTTP_503=Problem), tags=["pages"])
def words_of_job(job_id: str) -> Response:
    """Return one job with its words, for the job page's script."""
    return _fresh(_on_page(job_id))


@blueprint.get("/queue")
@spec.validate(query=AnyQuery, resp=Answers(HTTP_200=Page, HTTP_503=Problem), tags=["pages"])
def queue() -> str:
    """Show the queue."""
    jobs = unfinished(current())
    return render_template(
        "queue.html",
        waiting=[job for job in jobs if job_words.waits(job)],
        active=[job for job in jobs if not job_words.waits(job)],
        uploading=uploading(current()),
        queue=_queue_words(jobs),
        blank_job=BLANK_JOB,
    )


@blueprint.get("/queue/words")
@spec.validate(resp=Answers(HTTP_200=Words, HTTP_503=Problem), tags=["pages"])
def words_of_queue() -> Response:
    """Return the queue and its jobs with their words, for the queue page's script."""
    jobs = unfinished(current())
    return _fresh({**_queue_words(jobs), "jobs": _rows([*jobs, *uploading(current())])})


@blueprint.post("/language")
@spec.validate(query=AnyQuery, form=LanguageForm, resp=Answers(HTTP_303=None, HTTP_413=Problem), tags=["pages"])
def switch_language() -> Response:
    """Remember the language in a cookie and go back to the page. Raises InvalidRequestError for an unknown one."""
    chosen = request.form.get("language", "")
    if chosen not in LANGUAGES:
        raise InvalidRequestError(reason="language")
    answer = redirect(local_path(request.form.get("next", "")), 303)
    answer.set_cookie(COOKIE, chosen, max_age=COOKIE_SECONDS, httponly=True, samesite="Lax", secure=request.is_secure)
    return answer


def local_path(path: str) -> str:
    """Return the path if it leads into this site, else the first page: nobody is sent elsewhere through us."""
    is_local = path.startswith("/") and not path.startswith("//") and path.isprintable() and "\\" not in path
    return path if is_local else "/"


def _recent(cursor: str | None) -> dict[str, Any]:
    page = current().services.jobs.page(owner=OWNER, state=None, limit=RECENT_JOBS, cursor=cursor)
    return {"jobs": _rows(current().views.listed(page.jobs)), "cursor": page.cursor}


def _queue_words(jobs: list[dict[str, Any]]) -> dict[str, Any]:
    return queue_words.worded(queue_json(current()), {job["id"]: job["title"] for job in jobs})


def _rows(jobs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the jobs with what their rows say, in the language of the request."""
    return [{**job, "words": job_words.in_row(job)} for job in jobs]


def _on_page(job_id: str) -> dict[str, Any]:
    found = current().views.of(owned_job(current(), job_id))
    return {**found, "words": on_page(found)}


def _fresh(answer: dict[str, Any]) -> Response:
    made = jsonify(answer)
    made.headers["Cache-Control"] = "no-store"
    return made


def _favicons() -> dict[str, str]:
    return {name: url_for("static", filename=f"favicon-{name}.svg") for name in FAVICONS}
