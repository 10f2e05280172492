"""Reading, cancelling, retrying and deleting jobs."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from storage.model.job import Changes, Job, JobError, JobState
from storage.model.job_warnings import warning
from storage.model.task import Stage, Task
from storage.objects import keys
from storage.services import Services
from tests.support.jobs import CREATED_AT, created, encoding, make_job, make_plan, with_plan
from web.routes.uploading import new_job_id
from web.schemas.jobs import Jobs, PublicJob


@pytest.fixture
def job(own_services: Services) -> Job:
    """Give a queued job whose original and one rendition lie in the store."""
    created = make_job()
    own_services.jobs.create(created)
    for key in (keys.original(created.id), keys.manifest(created.id), keys.rendition(created.id, "poster.jpg")):
        own_services.objects.put_bytes(key, b"x", content_type="application/octet-stream")
    return created


def test_jobs_are_listed_newest_first_page_by_page(client: FlaskClient, own_services: Services) -> None:
    """The cursor leads through all jobs once; the state filters."""
    jobs = [make_job(created_at=CREATED_AT + number) for number in range(5)]
    for made in jobs:
        own_services.jobs.create(made)
    own_services.jobs.move(jobs[2].id, JobState.CANCELLED)
    seen: list[str] = []
    cursor = ""
    while True:
        page = Jobs.model_validate(client.get(f"/api/jobs?limit=2{cursor}").get_json())
        seen += [found.id for found in page.jobs]
        if page.cursor is None:
            break
        cursor = f"&cursor={page.cursor}"
    assert seen == [made.id for made in reversed(jobs)]
    cancelled = client.get("/api/jobs?state=cancelled").get_json()["jobs"]
    assert [found["id"] for found in cancelled] == [jobs[2].id]


@pytest.mark.parametrize(
    "query",
    [
        "limit=\u0665",
        "cursor=" + "\u0661" * 17 + ":" + "0" * 32,
        "limit=0",
        "limit=101",
        "limit=x",
        "state=done",
        "cursor=zzz",
        "owner=me",
    ],
)
def test_wrong_parameters_are_named(client: FlaskClient, query: str) -> None:
    """A parameter that is unknown or out of range is refused, not ignored."""
    answer = client.get(f"/api/jobs?{query}")
    assert (answer.status_code, answer.get_json()["code"]) == (400, "invalid_request")


@pytest.mark.parametrize("plan", [False, True])
def test_a_job_is_shown_as_the_schema_says(client: FlaskClient, own_services: Services, plan: bool) -> None:  # noqa: FBT001 - a table
    """The JSON is exactly the documented model: no key more, none less."""
    made = make_job(state=JobState.ENCODING if plan else JobState.QUEUED, plan=make_plan() if plan else None)
    own_services.jobs.create(made)
    shown = client.get(f"/api/jobs/{made.id}").get_json()
    assert PublicJob.model_validate(shown).model_dump(mode="json") == shown


@pytest.mark.parametrize("job_id", ["0" * 32, "x", "..%2F..%2Fetc", "A" * 32])
@pytest.mark.parametrize("route", ["", "/events"])
def test_unknown_jobs_are_not_found(client: FlaskClient, job_id: str, route: str) -> None:
    """An id that does not exist and text that is no id answer alike."""
    answer = client.get(f"/api/jobs/{job_id}{route}")
    assert answer.status_code == 404
    assert answer.get_json()["code"] in {"job_not_found", "not_found"}


def test_another_owners_job_does_not_exist(client: FlaskClient, own_services: Services) -> None:
    """What belongs to somebody else is answered as if it were not there."""
    made = make_job(owner="somebody")
    own_services.jobs.create(made)
    actions = (("POST", "/cancel"), ("POST", "/retry"), ("PUT", "/priority"), ("DELETE", ""))
    for method, path in (("GET", ""), *actions, ("GET", "/events")):
        answer = client.open(f"/api/jobs/{made.id}{path}", method=method)
        assert answer.get_json()["code"] == "job_not_found"
    assert client.get("/api/jobs").get_json()["jobs"] == []


def test_cancelling_and_retrying(client: FlaskClient, own_services: Services, job: Job) -> None:
    """A cancelled job can be started again, and then its plan is published."""
    assert client.post(f"/api/jobs/{job.id}/cancel").get_json()["state"] == "cancelled"
    assert client.post(f"/api/jobs/{job.id}/cancel").status_code == 200
    assert own_services.publisher.pending() == frozenset()
    retried = client.post(f"/api/jobs/{job.id}/retry").get_json()
    assert (retried["state"], retried["queue_position"]) == ("queued", 1)
    assert own_services.publisher.pending() == {(job.id, Task(job.id, Stage.PLAN).field)}


def test_an_urgent_job_goes_first(client: FlaskClient, own_services: Services, job: Job) -> None:
    """Its priority is told with it, and its place follows; once it is finished there is none to set."""
    urgent = created(own_services.jobs)
    assert client.get(f"/api/jobs/{urgent.id}").get_json()["queue_position"] == 2
    links = client.get(f"/api/jobs/{urgent.id}").get_json()["links"]
    answer = client.put(links["priority"], json={"priority": "high"}).get_json()
    assert (answer["priority"], answer["queue_position"]) == ("high", 1)
    assert client.get(f"/api/jobs/{job.id}").get_json()["queue_position"] == 2
    assert client.post(links["cancel"]).get_json()["links"]["priority"] is None
    late = client.put(links["priority"], json={"priority": "low"})
    assert (late.status_code, late.get_json()["code"]) == (409, "transition_refused")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "length announced"),
        (b"[]", "should be an object"),
        (b'{"priority": "urgent"}', "`priority`: Input should be 'high', 'normal' or 'low'"),
        (b'{"priority": "high", "more": 1}', "`more`"),
        (b'{"priority": "' + b"x" * 5000 + b'"}', "at most 4096 bytes"),
    ],
)
def test_a_wrong_priority_is_told_what_is_wrong(client: FlaskClient, job: Job, body: bytes, said: str) -> None:
    """Nothing is changed by it."""
    answer = client.put(f"/api/jobs/{job.id}/priority", data=body, content_type="application/json")
    assert (answer.status_code, answer.get_json()["code"]) == (400, "invalid_request")
    assert said in answer.get_json()["detail"]
    assert client.get(f"/api/jobs/{job.id}").get_json()["priority"] == "normal"


def test_a_retry_forgets_the_failure(client: FlaskClient, own_services: Services, job: Job) -> None:
    """A failed job begins anew, without its error and without what it left in the store."""
    failure = JobError("tool_failed", "The tool failed.")
    own_services.jobs.move(job.id, JobState.FAILED, Changes(error=failure))
    assert client.get(f"/api/jobs/{job.id}").get_json()["error"]["code"] == "tool_failed"
    left = keys.segment(job.id, "480p", 7)
    own_services.objects.put_bytes(left, b"x", content_type="video/mp4")
    assert client.post(f"/api/jobs/{job.id}/retry").get_json()["error"] is None
    assert left not in own_services.objects.keys("")


def test_a_retry_waits_for_the_removal_of_the_last_run(client: FlaskClient, own_services: Services, job: Job) -> None:
    """While the janitor removes what was left, the job cannot be started again, and it is said when it can.

    How it ended stays until it is started again.
    """
    own_services.objects.put_bytes(keys.ended(job.id), b"x", content_type="application/json")
    own_services.jobs.move(job.id, JobState.FAILED)
    assert own_services.jobs.begin_clearing(job.id, seconds=60)
    answer = client.post(f"/api/jobs/{job.id}/retry")
    assert (answer.status_code, answer.get_json()["code"]) == (503, "busy")
    assert int(answer.headers["Retry-After"]) > 0
    assert own_services.objects.stat(keys.ended(job.id))


def test_a_retry_forgets_what_was_kept_of_the_last_run(client: FlaskClient, own_services: Services, job: Job) -> None:
    """A rebuild starts the job again too; what was kept of a job that cannot start again stays."""
    ready = make_job(state=JobState.READY)
    own_services.jobs.create(ready)
    own_services.jobs.move(job.id, JobState.FAILED)
    kept = [key(made.id) for made in (job, ready) for key in (keys.manifest, keys.planned, keys.ended)]
    for key in kept:
        own_services.objects.put_bytes(key, b"x", content_type="application/json")
    answers = [client.post(f"/api/jobs/{made.id}/retry").status_code for made in (ready, job, job)]
    assert answers == [409, 200, 200]
    left = {key for key in own_services.objects.keys("") if key.endswith(".json")}
    assert left == {*kept[3:], keys.manifest(job.id)}


def test_moves_that_are_not_allowed_conflict(client: FlaskClient, own_services: Services, job: Job) -> None:
    """A ready job is neither cancelled nor retried; one without its original is not retried."""
    for state in (JobState.PLANNING, JobState.ENCODING, JobState.PACKAGING, JobState.READY):
        own_services.jobs.move(job.id, state, with_plan() if state is JobState.ENCODING else None)
    for action in ("cancel", "retry"):
        answer = client.post(f"/api/jobs/{job.id}/{action}")
        assert (answer.status_code, answer.get_json()["code"]) == (409, "transition_refused")
    gone = make_job(state=JobState.FAILED)
    own_services.jobs.create(gone)
    answer = client.post(f"/api/jobs/{gone.id}/retry", headers={"Accept-Language": "ko"})
    assert (answer.status_code, answer.get_json()["code"]) == (409, "conflict")
    assert answer.get_json()["detail"] == "이 작업의 원본이 없어져 다시 인코딩할 수 없습니다."


@pytest.mark.parametrize("state", [JobState.QUEUED, JobState.FAILED, JobState.READY])
def test_deleting_removes_everything(client: FlaskClient, own_services: Services, job: Job, state: JobState) -> None:
    """Objects and record go, whatever the job was doing."""
    made = make_job(id=new_job_id(), state=state)
    own_services.jobs.create(made)
    own_services.objects.put_bytes(keys.original(made.id), b"x", content_type="video/mp4")
    own_services.objects.put_bytes(keys.rendition(made.id, "720p.mp4"), b"x", content_type="video/mp4")
    assert client.delete(f"/api/jobs/{made.id}").status_code == 204
    assert client.delete(f"/api/jobs/{made.id}").status_code == 404
    assert {key.split("/")[1] for key in own_services.objects.keys("")} == {job.id}


def test_one_more_urgent_job_is_refused_in_a_sentence(client: FlaskClient, own_services: Services, job: Job) -> None:
    """With a status that says that it is the owner's doing, and a time to come back."""
    other = created(own_services.jobs)
    assert client.put(f"/api/jobs/{job.id}/priority", json={"priority": "high"}).status_code == 200
    answer = client.put(f"/api/jobs/{other.id}/priority", json={"priority": "high"})
    assert (answer.status_code, answer.get_json()["code"]) == (429, "high_share")
    assert "high priority" in answer.get_json()["detail"]
    assert int(answer.headers["Retry-After"]) > 0


def test_a_warning_names_its_codecs_in_any_language(client: FlaskClient, own_services: Services) -> None:
    """The name is one of the values, which are numbers elsewhere."""
    left_out = warning("codec_left_out", n=1, codecs="truespeech")
    job = make_job(state=JobState.READY, warnings=(left_out,))
    own_services.jobs.create(job)
    told = client.get(f"/api/jobs/{job.id}").get_json()["warnings"]
    assert told == [{"code": "codec_left_out", "message": left_out.message, "values": {"n": 1, "codecs": "truespeech"}}]
    page = client.get(f"/jobs/{job.id}", headers={"Accept-Language": "ko"}).get_data(as_text=True)
    assert "트랙 하나는 여기서 지원하지 않는 코덱이라 제외했습니다: truespeech." in page


@pytest.mark.parametrize(
    ("accepted", "cookie", "detail"),
    [
        ("", "", "There is no such job"),
        ("de", "", "There is no such job"),
        ("ko", "", "작업이 없거나 삭제되었습니다."),
        ("en", "ko", "작업이 없거나 삭제되었습니다."),
    ],
)
def test_a_refusal_is_worded_for_whoever_asks(client: FlaskClient, accepted: str, cookie: str, detail: str) -> None:
    """Scripts show what they are told: there is one place for a sentence."""
    if cookie:
        client.set_cookie("language", cookie)
    answer = client.get(f"/api/jobs/{new_job_id()}", headers={"Accept-Language": accepted} if accepted else {})
    assert answer.status_code == 404
    assert answer.get_json()["detail"].startswith(detail)


NOT_LISTED = {"plan", "promise", "loudness", "audio", "subtitles", "chapters", "warnings", "damage", "failed_attempts"}


def test_lists_leave_out_the_same_of_every_job(client: FlaskClient, own_services: Services) -> None:
    """Of one that is encoding and of one that failed; all else is as the job itself says it."""
    jobs = own_services.jobs
    encoding(jobs)
    jobs.move(created(jobs).id, JobState.FAILED, Changes(error=JobError("decode_failed", "It broke.", "last line")))
    page = client.get("/api/jobs").get_json()
    assert len(Jobs.model_validate(page).jobs) == 2
    for listed in page["jobs"]:
        whole = client.get(listed["links"]["self"]).get_json()
        assert whole.keys() - listed.keys() == NOT_LISTED
        if whole["error"]:
            assert whole["error"].pop("detail") == "last line"
        assert listed == {name: whole[name] for name in listed}
