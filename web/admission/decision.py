"""The decision to take or refuse an upload, made before its body is read."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from math import ceil, inf

from storage.errors import (
    AddressShareError,
    DrainingError,
    OwnerShareError,
    QueueFullError,
    RungsError,
    StorageFullError,
    TooManyUploadsError,
)
from storage.objects.contract import PART_BYTES
from web.admission.turns import TurnClaim, leaves_room, room_behind
from web.http.retry_after import RETRY_AFTER_SHARE
from web.upload.limits import OVERHEAD_BYTES, too_large

# When nothing is known of the uploads under way: a try every few seconds is cheap, since the refusal costs nothing.
RETRY_AFTER_UPLOADS = 15
RETRY_AFTER_FULL = 300  # space comes back when somebody deletes jobs
RETRY_AFTER_DRAINING = 30  # as long as a stopping server gives its uploads, and a new one takes to start
LONGEST_RETRY_AFTER = 3600  # forecasts over hours are guesses, and somebody may delete or cancel something
LEARNED_SECONDS = 10  # a fresh installation knows what jobs cost when its first one was planned and begun
# Who comes back at its time is taken a little over the limit: what was promised counts for more than that the forecast
# was a little too good. With a job's own work on top the wait stays below a quarter over the limit.
PROMISED_SHARE = 1.15
# For each upload that a client may have under way: more turns than that at once it could not use.
TURNS_AN_UPLOAD = 4
# With less work than that everybody is taken, whatever was promised: should jobs have got dearer since, or hardly
# anybody come back, encoders would soon be without work for the sake of turns.
BUSY_SHARE = 0.5


def share_of(total: int, percent: int) -> int:
    """Return how many of so many one client may hold; one at least."""
    return max(1, total * percent // 100)


@dataclass(frozen=True, slots=True)
class Limits:
    """What the installation takes.

    `uploads` at once with `pending_bytes` still to come, `upload_bytes` of one of them, `reserve` free bytes that must
    remain in the object store, `wait` seconds of accepted work, `owner_jobs` unfinished jobs of one owner. One address
    may have `address_share` percent of the uploads, and its turns may keep as much of the wait.
    """

    uploads: int
    upload_bytes: int
    pending_bytes: int
    reserve: int
    wait: float
    owner_jobs: int
    address_share: int = 100

    @property
    def address_uploads(self) -> int:
        """Uploads under way of one address."""
        return share_of(self.uploads, self.address_share)

    @property
    def address_open(self) -> int:
        """Open uploads of one address, that move or rest: each is a job to be, and creating one costs nothing."""
        return share_of(self.owner_jobs, self.address_share)

    @property
    def address_turns(self) -> int:
        """Turns of one address."""
        return TURNS_AN_UPLOAD * self.address_uploads

    @property
    def address_work(self) -> float:
        """Seconds of work that the turns of one address keep room for."""
        return inf if self.address_share == 100 else self.wait * self.address_share / 100  # noqa: PLR2004 - percent


@dataclass(frozen=True, slots=True)
class QueueState:
    """What admission wants to know of the queue, as it was read at `read_at` (monotonic).

    `wait` is the predicted wait in seconds, to which a new job adds `per_job` and for each of its bytes `per_byte`. The
    jobs may turn out to cost `doubt` times as much, above 1 only as long as hardly anything was measured. The owner of
    the upload has `owner_jobs` unfinished ones, the first of which is ready in `owner_ready` seconds.
    """

    wait: float = 0.0
    per_job: float = 0.0
    per_byte: float = 0.0
    doubt: float = 1.0
    owner_jobs: int = 0
    owner_ready: float | None = None
    read_at: float = inf

    def work(self, size: int | None) -> float:
        """Return by how many seconds a job with so many bytes makes the wait longer; None is a size unknown."""
        return self.per_job + self.per_byte * (size or 0)


class Standing(Enum):
    """Who asks: one without a turn, one who has to wait for others with a turn, one whose turn has come."""

    NEW = auto()
    WAITING = auto()
    CALLED = auto()


@dataclass(frozen=True, slots=True)
class Load:
    """Everything the decision rests on.

    The new upload announces `announced` bytes (None for a body in chunks), `work` seconds for the encoders. `active`
    others are under way, `own` of them from the same address. They want to write `pending` bytes, and the first of
    them is there in `upload_left` seconds (None if unknown). The address has `own_open` uploads that take several
    requests, with those that rest. The object store has `free` bytes (None if it cannot tell). `wait` is the predicted
    wait, the uploads under way included, and may be longer by `doubt` seconds. `claims` are the turns of others that
    come first (for a newcomer all of them), and `turn` are the seconds until the client's own, None if it has none.
    """

    announced: int | None = None
    work: float = 0.0
    active: int = 0
    own: int = 0
    own_open: int = 0
    pending: int = 0
    upload_left: float | None = None
    free: int | None = None
    wait: float = 0.0
    doubt: float = 0.0
    standing: Standing = Standing.NEW
    claims: tuple[TurnClaim, ...] = ()
    turn: float | None = None
    owner_jobs: int = 0
    owner_ready: float | None = None
    draining: bool = False


def decide(load: Load, limits: Limits) -> RungsError | None:
    """Return why the upload is refused and, in a BusyError, when there will be room; None if it may begin."""
    if (load.announced or 0) > limits.upload_bytes + OVERHEAD_BYTES:
        return too_large(limits.upload_bytes)
    if load.draining:
        return DrainingError(retry_after=RETRY_AFTER_DRAINING)
    return _for_uploads(load, limits) or _for_jobs(load, limits)


def decide_again(load: Load, limits: Limits) -> RungsError | None:
    """Return why a job that is here already may not be started again; None if it may."""
    if load.draining:
        return DrainingError(retry_after=RETRY_AFTER_DRAINING)
    return _for_jobs(load, limits)


def decide_to_go_on(load: Load, limits: Limits) -> RungsError | None:
    """Return why an upload that was let in when it was created may not go on just now; None if it may.

    The queue was asked then. Now it is only whether there is a place among those that send at once, and room for the
    rest of it, which is not kept while nothing comes.
    """
    if load.draining:
        return DrainingError(retry_after=RETRY_AFTER_DRAINING)
    return _for_place(load, limits) or _for_room(load, limits)


def _for_place(load: Load, limits: Limits) -> RungsError | None:
    """Return what other uploads that send now have against it."""
    if load.active >= limits.uploads:
        return TooManyUploadsError(retry_after=_whole(load.upload_left, RETRY_AFTER_UPLOADS))
    if load.own >= limits.address_uploads:
        return AddressShareError(retry_after=_whole(load.upload_left, RETRY_AFTER_SHARE))
    return None


def _for_room(load: Load, limits: Limits) -> RungsError | None:
    """Return what the object store has against it."""
    if load.free is not None and load.free - load.pending - _announced(load) < limits.reserve:
        return StorageFullError(retry_after=RETRY_AFTER_FULL)
    return None


def _for_uploads(load: Load, limits: Limits) -> RungsError | None:
    """Return what uploads and the object store have against it."""
    if load.active and load.pending + _announced(load) > limits.pending_bytes:
        return TooManyUploadsError(retry_after=_whole(load.upload_left, RETRY_AFTER_UPLOADS))
    if load.own_open >= limits.address_open:
        return AddressShareError(retry_after=RETRY_AFTER_FULL)
    return _for_place(load, limits) or _for_room(load, limits)


def _announced(load: Load) -> int:
    return PART_BYTES if load.announced is None else load.announced


def runs_out(pending: int, ahead: int, free: int | None, limits: Limits) -> RungsError | None:
    """Return why an upload under way must end: the store is down to its reserve, or too many bytes are to come.

    All uploads want to write `pending` bytes, and `ahead` with their next parts. What was promised to an upload that
    announced its length is not taken back for what others may write in an hour: only the next parts count.
    """
    if free is not None and free - ahead < limits.reserve:
        return StorageFullError(retry_after=RETRY_AFTER_FULL)
    if pending > limits.pending_bytes:
        return TooManyUploadsError(retry_after=RETRY_AFTER_UPLOADS)
    return None


def _for_jobs(load: Load, limits: Limits) -> RungsError | None:
    """Return what the jobs that were accepted have against it."""
    if load.owner_jobs >= limits.owner_jobs:
        return OwnerShareError(retry_after=_whole(load.owner_ready, RETRY_AFTER_FULL))
    if not _has_room(load, limits.wait):
        return QueueFullError(retry_after=_whole(until_room(load, limits), 1))
    return None


def _has_room(load: Load, limit: float) -> bool:
    """Tell whether the queue has room, for the upload and for everybody whose turn comes before it."""
    wait = load.wait + load.doubt
    if wait <= limit * BUSY_SHARE:
        return True
    if load.standing is Standing.CALLED:
        return wait + _claimed(load) <= limit * PROMISED_SHARE
    if load.standing is Standing.WAITING and wait + _claimed(load) > limit:
        return False
    return leaves_room(wait, (TurnClaim(0.0, load.work), *load.claims), limit)


def _claimed(load: Load) -> float:
    return sum(claim.work for claim in load.claims)


def until_room(load: Load, limits: Limits) -> float:
    """Return in how many seconds there will be room in the queue, behind all who come first."""
    if load.turn is not None and load.standing is Standing.WAITING:
        return load.turn
    room = room_behind(load.wait, load.claims, limits.wait)
    return max(room, LEARNED_SECONDS) if load.doubt else room


def _whole(seconds: float | None, unknown: int) -> int:
    return unknown if seconds is None else min(LONGEST_RETRY_AFTER, max(1, ceil(seconds)))
