"""Jobs and the queue as tables for people. Names from outside are plain text, never markup."""

from __future__ import annotations

from collections.abc import Iterable

from rich.table import Table
from rich.text import Text

from storage.model.job import JobState
from web.client import texts
from web.client.answers import QueuedJob, SeenJob, SeenQueue, SeenSubtitles, WholeJob

_LONG = frozenset({"title", "state"})
_STYLES = {"ready": "green", "failed": "bold red", "cancelled": "dim"}


def jobs_table(jobs: Iterable[SeenJob]) -> Table:
    """Return the jobs, one in a row."""
    table = _table("job", "title", "size", "", "state")
    for job in jobs:
        table.add_row(
            job.id, _title(job), texts.size(job.size), texts.percent(job.fraction), _words(job, texts.headline(job))
        )
    return table


def job_table(job: WholeJob) -> Table:
    """Return one job, a fact in a row."""
    table = Table.grid(padding=(0, 2))
    facts = [
        ("job", job.id),
        ("title", texts.plain(job.title)),
        ("file", f"{texts.plain(job.filename)}, {texts.size(job.size)}"),
        ("created", texts.plain(job.created_at)),
        ("state", f"{texts.percent(job.fraction)} {texts.headline(job)}"),
        *(("rung", f"{rung.name}, {rung.width} x {rung.height}{_of_size(rung.size)}") for rung in job.rungs),
        *(("warning", texts.plain(warned.message)) for warned in job.warnings),
    ]
    for name, fact in facts:
        table.add_row(Text(name, "dim"), Text(fact))
    return table


def subtitles_table(seen: SeenSubtitles) -> Table:
    """Return tracks of subtitles, one in a row."""
    table = _table("track", "label", "language", "from")
    for track in seen.subtitles:
        row = (track.id, track.label, track.language, track.origin)
        table.add_row(*(Text(texts.plain(text)) for text in row))
    return table


def queue_words(queue: SeenQueue) -> list[str]:
    """Return how the queue is, a sentence a line."""
    waits = queue.wait_seconds >= 1
    wait = f"would wait about {texts.duration(queue.wait_seconds)}" if waits else "would start at once"
    busy = f"{queue.busy} of {queue.slots} slots busy; {queue.uploads} uploads under way"
    lines = [f"{queue.waiting} waiting, {queue.active} active; {busy}.", f"A new job {wait}."]
    if not queue.admission.open:
        again = queue.admission.retry_after
        later = "" if again is None else f" Uploads will be taken again in {texts.duration(again)}."
        lines.append(f"{texts.plain(queue.admission.message or '')}{later}")
    return lines


def queue_table(queue: SeenQueue) -> Table:
    """Return the jobs of the queue, oldest first, and behind them those whose file is on its way."""
    table = _table("job", "title", "place", "", "state", "starts in", "ready in")
    for job in queue.jobs:
        place = "" if job.queue_position is None else str(job.queue_position)
        times = ("" if at is None else texts.duration(at) for at in (job.starts_in_seconds, job.eta_seconds))
        table.add_row(job.id, _title(job), place, texts.percent(job.progress), _words(job, job.state.value), *times)
    for coming in queue.uploading:
        share = texts.percent(coming.upload.fraction)
        table.add_row(coming.id, Text(texts.plain(coming.title)), "", share, JobState.UPLOADING.value)
    return table


def _table(*heads: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for head in heads:
        # An id that is cut is none; what may be long gives way.
        table.add_column(head, no_wrap=head not in _LONG, overflow="fold")
    return table


def _title(job: QueuedJob) -> Text:
    return Text(texts.plain(job.title))


def _words(job: QueuedJob, words: str) -> Text:
    return Text(words, _STYLES.get(job.state.value, ""))


def _of_size(size: int | None) -> str:
    return "" if size is None else f", {texts.size(size)}"
