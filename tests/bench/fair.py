"""`make bench-fair`: how much longer clips take than alone, behind a film, and behind a hundred of another owner.

    spaced     five clips behind a film, each uploaded when the one before it is ready: the film is all they wait for
    together   all five at once: they wait for each other too; beside it stands what each would take if the slots did
               nothing but these clips, one after another
    owners     one owner has a hundred clips in the queue when another owner's only one comes; beside it stand what that
               takes alone on half of the slots, its fair share, and what it would have taken first in, first out

Times are the server's own, from the last byte of the upload to `ready`. With --slow-uploads all of it is measured once
more while so many others trickle in by tus all the time, of a film that is encoded early: nobody is to wait for them.
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from storage.model.job import JobState
from storage.services import Services
from tests.bench.footage import CLIPS, FAST_START, FILM_SECONDS, MEDIA, cut_of, film_of, looped
from tests.bench.installation import JOB_SECONDS, READABLE, Installation, is_ready
from tests.bench.results import keep, markdown_table
from tests.bench.slow_uploads import SlowUploads, slow_uploads
from tests.support.waiting import wait_until

CLIP_SECONDS = 10.0
STARTS = ((0, 0), (0, 20), (0, 40), (1, 0), (1, 25))  # which clip, and where in it
SHORT_SECONDS = 2.0  # a hundred of them take minutes
MANY = 100
UNDER_WAY = 0.02  # the share of the film that is encoded before the first clip comes


def took(installation: Installation, job_id: str) -> float:
    """Wait for the job; return the seconds it took, and delete it."""
    installation.wait_for(job_id, is_ready)
    job = installation.job(job_id)
    installation.delete(job_id)
    created, finished = (dt.datetime.fromisoformat(job[name]) for name in ("created_at", "finished_at"))
    return (finished - created).total_seconds()


def one_by_one(installation: Installation, clips: Sequence[Path]) -> list[float]:
    """Upload each clip when the one before it is ready."""
    return [took(installation, installation.upload(clip)) for clip in clips]


def together(installation: Installation, clips: Sequence[Path]) -> list[float]:
    """Upload all clips, then wait for them."""
    jobs = [installation.upload(clip) for clip in clips]
    return [took(installation, job_id) for job_id in jobs]


def behind_the_film(installation: Installation, film: Path) -> str:
    """Upload the film and wait until it is under way; return its job's id."""
    job_id = installation.upload(film)
    installation.wait_for(job_id, lambda job: bool(job["progress"] > UNDER_WAY))
    return job_id


def behind_another_owner(installation: Installation, clip: Path) -> tuple[float, float]:
    """Bring one owner's clip behind a hundred of another; return what it took, and until the hundred were ready."""
    services = installation.services()
    many = [installation.bring(clip, "many") for _ in range(MANY)]
    wait_until(lambda: len(finished(services, many)) >= MANY // 10, seconds=JOB_SECONDS, what="the queue under way")
    came = time.time()
    single = installation.bring(clip, "single")
    # Not all hundred and one yet: looking at them takes half a core, which is not what others cost that clip.
    wait_until(lambda: finished(services, [single]), seconds=JOB_SECONDS, what="the single clip")
    wait_until(lambda: len(finished(services, many)) == MANY, seconds=JOB_SECONDS, what="all clips")
    return finished(services, [single])[0] - came, max(finished(services, many)) - came


def finished(services: Services, job_ids: Sequence[str]) -> list[float]:
    """Return when those of the jobs that are ready became so, in Unix seconds."""
    jobs = (services.jobs.get(job_id) for job_id in job_ids)
    return [job.finished_at for job in jobs if job.state is JobState.READY and job.finished_at is not None]


def owners_table(slots: int, clip: Path, slow: Slow) -> str:
    """Measure two owners, with all slots and, for the fair share, with half of them; return the table."""
    with Installation(max(1, slots // 2)) as half, slow.beside(half):
        share = min(one_by_one(half, [clip] * 3))
    with Installation(slots) as installation, slow.beside(installation):
        alone = min(one_by_one(installation, [clip] * 3))
        single, fifo = behind_another_owner(installation, clip)
    head = [f"one clip behind {MANY} of another owner", "alone", "its fair share", "behind them", "first in, first out"]
    row = [clip.stem, *(f"{seconds:.1f} s, {seconds / share:.1f} x" for seconds in (alone, share, single, fifo))]
    return markdown_table(head, [row])


def rows(clips: Sequence[Path], alone: Sequence[float], loaded: dict[str, list[float]]) -> Iterator[list[str]]:
    """Yield a row for each clip: seconds alone, and how many times as long it took behind the film."""
    for number, clip in enumerate(clips):
        ratios = [f"{times[number]:.1f} s, {times[number] / alone[number]:.1f} x" for times in loaded.values()]
        queued = sum(alone[: number + 1])
        yield [clip.stem, f"{alone[number]:.1f} s", *ratios, f"{queued:.1f} s, {queued / alone[number]:.1f} x"]


@dataclass(frozen=True, slots=True)
class Slow:
    """How many uploads of which video trickle in meanwhile."""

    count: int
    video: Path

    def beside(self, installation: Installation) -> AbstractContextManager[SlowUploads]:
        """Have them under way in a block."""
        return slow_uploads(installation, self.video, self.count)


def film_times(slots: int, clips: Sequence[Path], film: Path, slow: Slow) -> tuple[dict[str, list[float]], SlowUploads]:
    """Return what each clip took alone and behind the film, and the uploads beside it all."""
    with Installation(slots) as installation, slow.beside(installation) as uploads:
        times = {"alone": one_by_one(installation, clips)}
        for way, upload in (("spaced", one_by_one), ("together", together)):
            job_id = behind_the_film(installation, film)
            times[way] = upload(installation, clips)
            installation.delete(job_id)
    return times, uploads


def film_table(clips: Sequence[Path], times: dict[str, list[float]]) -> str:
    """Return the table of what they took."""
    alone, *loaded = times.values()
    ways = [way for way in times if way != "alone"]
    head = ["10 s clip", "alone", *(f"behind the film, {way}" for way in ways), "no film, one after another"]
    return markdown_table(head, list(rows(clips, alone, dict(zip(ways, loaded, strict=True)))))


def beside_table(without: dict[str, list[float]], beside: dict[str, list[float]]) -> str:
    """Return the table of what all clips took together, without the slow uploads and beside them."""
    sums = [(way, sum(without[way]), sum(beside[way])) for way in without]
    lines = [[way, f"{one:.1f} s", f"{other:.1f} s", f"{other / one:.2f}"] for way, one, other in sums]
    return markdown_table(["all five clips", "without slow uploads", "beside them", "of without"], lines)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--slots", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--slow-uploads", type=int, default=0, metavar="N", help="measure once more beside N of them")
    return parser.parse_args()


def main() -> None:
    """Print the tables."""
    options, found, parts = _options(), list[dict[str, list[float]]](), list[str]()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(READABLE)
        clips = [cut_of(MEDIA / CLIPS[which], folder, start=at, seconds=CLIP_SECONDS) for which, at in STARTS]
        film = film_of(MEDIA / CLIPS[0], folder)
        short = cut_of(MEDIA / CLIPS[1], folder, start=30, seconds=SHORT_SECONDS)
        video = looped(MEDIA / CLIPS[0], folder / "slow.mp4", FILM_SECONDS, FAST_START)
        for count in dict.fromkeys((0, options.slow_uploads)):
            slow = Slow(count, video)
            times, uploads = film_times(options.slots, clips, film, slow)
            found.append(times)
            parts += [f"{uploads}:"] if count else []
            parts += [film_table(clips, times), owners_table(options.slots, short, slow)]
    if options.slow_uploads:
        parts.insert(0, beside_table(*found))
    asked = f" SLOW={options.slow_uploads}" if options.slow_uploads else ""
    keep("fair", f"make bench-fair{asked}", parts)


if __name__ == "__main__":
    main()
