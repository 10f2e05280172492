"""All uploads of this process: who is let in, what they still write, and whose turn it is."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from storage.errors import BusyError, QueueFullError, RungsError
from storage.model.upload import OpenUpload
from web.admission.decision import (
    LONGEST_RETRY_AFTER,
    Limits,
    Load,
    QueueState,
    Standing,
    decide,
    decide_again,
    decide_to_go_on,
    runs_out,
    until_room,
)
from web.admission.elsewhere import NOWHERE, Elsewhere
from web.admission.ticket import Ticket
from web.admission.turns import Turn, Turns, claims_of, grace


class Gate:
    """Admission's state. What it is told of store and queue, the caller asked, so the gate waits for nobody.

    `clock` is monotonic.
    """

    def __init__(self, limits: Limits, clock: Callable[[], float] = time.monotonic) -> None:
        self.limits = limits
        self._clock = clock
        self._tickets: set[Ticket] = set()
        self._landed: list[tuple[float, int]] = []  # when, and bytes
        self._turns = Turns(grace(limits.wait), limits.address_turns)
        self._lock = threading.Lock()
        self._draining: Callable[[], bool] = lambda: False

    @property
    def active(self) -> int:
        """Uploads under way."""
        return len(self._tickets)

    @property
    def turns(self) -> int:
        """Clients that were told to come back and for whom room is kept."""
        return len(self._turns)

    def drain_when(self, draining: Callable[[], bool]) -> None:
        """Refuse new uploads as soon as `draining` returns True."""
        self._draining = draining

    def is_draining(self) -> bool:
        """Tell whether the service is being stopped."""
        return self._draining()

    def state(self, free: int | None, queue: QueueState, elsewhere: Elsewhere = NOWHERE) -> RungsError | None:
        """Return why the smallest upload of a newcomer would be refused now, None if it would be taken."""
        with self._lock:
            self._turns.forget(self._clock())
            return decide(self._load(0, free, queue, elsewhere), self.limits)

    @contextmanager
    def enter(
        self,
        announced: int | None,
        free: int | None,
        queue: QueueState | None = None,
        *,
        client: str = "",
        token: str = "",
        elsewhere: Elsewhere = NOWHERE,
    ) -> Iterator[Ticket]:
        """Hold a place until the upload of a `client` is a job; raises what `decide` returns.

        `token` is the one of the refusal that sent the client away before, empty if it brings none.
        """
        queue = queue or QueueState()
        with self._lock:
            turn = self._admit(decide, announced, free, queue, elsewhere, client, token)
            ticket = Ticket(announced, self._clock(), client)
            self._tickets.add(ticket)
        try:
            yield ticket
        except BaseException:
            self._leave(ticket, turn=turn)
            raise
        self._leave(ticket, landed=True)

    @contextmanager
    def admit(
        self,
        announced: int | None,
        free: int | None,
        queue: QueueState,
        elsewhere: Elsewhere,
        *,
        client: str,
        token: str,
    ) -> Iterator[None]:
        """Let an upload of several requests in, which the block creates; raises what `decide` returns."""
        with self._lock:
            turn = self._admit(decide, announced, free, queue, elsewhere, client, token)
        try:
            yield
        except BaseException:
            self._give_back(turn)
            raise

    @contextmanager
    def receive(self, upload: OpenUpload, free: int | None, elsewhere: Elsewhere, *, client: str) -> Iterator[Ticket]:
        """Hold a place while a request brings bytes of an upload that was let in; raises as `decide_to_go_on` says."""
        with self._lock:
            # An older request for the same upload, whose client may be dead, makes way for this one.
            others = [ticket for ticket in self._tickets if ticket.upload_id != upload.id]
            apart = elsewhere.without({upload.id, *(ticket.upload_id for ticket in others)})
            clients = _clients(others, apart)
            load = Load(
                announced=upload.left or None,
                active=len(clients),
                own=clients.count(client),
                pending=_promised(others, apart),
                upload_left=self._upload_left(others),
                free=free,
                draining=self._draining(),
            )
            refusal = decide_to_go_on(load, self.limits)
            if refusal is not None:
                raise refusal
            ticket = Ticket(upload.left or None, self._clock(), client, upload.id)
            self._tickets.add(ticket)
        try:
            yield ticket
        finally:
            with self._lock:
                self._tickets.discard(ticket)

    def landed(self, size: int) -> None:
        """Note that an upload of so many bytes has become a job, which the queue may not show yet."""
        with self._lock:
            self._landed.append((self._clock(), size))

    def go_on(self, free: int | None) -> None:
        """Raise BusyError if an upload under way has to end, now that the object store has so many bytes free."""
        with self._lock:
            pending = sum(ticket.promised for ticket in self._tickets)
            ahead = sum(ticket.next_part for ticket in self._tickets)
        refusal = runs_out(pending, ahead, free, self.limits)
        if refusal is not None:
            raise refusal

    def readmit(self, size: int, queue: QueueState, *, client: str = "", token: str = "") -> None:
        """Let a job of so many bytes be started again, which is here already; raises what `decide_again` returns."""
        with self._lock:
            self._admit(decide_again, size, None, queue, NOWHERE, client, token)
            self._landed.append((self._clock(), size))

    def _admit(
        self,
        decision: Callable[[Load, Limits], RungsError | None],
        announced: int | None,
        free: int | None,
        queue: QueueState,
        elsewhere: Elsewhere,
        client: str,
        token: str,
    ) -> Turn | None:
        """Take the client's turn and return it, None if it had none; raises what the `decision` is, noting a turn."""
        turn = self._turn_of(client, announced, token)
        standing = self._standing(turn, client, announced)
        load = self._load(announced, free, queue, elsewhere, client=client, turn=turn, standing=standing)
        refusal = decision(load, self.limits)
        if refusal is not None:
            self._send_back(refusal, turn, load, client)
            raise refusal
        if turn is not None:
            self._turns.take(turn)
        return turn

    def _turn_of(self, client: str, announced: int | None, token: str) -> Turn | None:
        now = self._clock()
        self._turns.forget(now)
        return self._turns.of(client, announced, token, now)

    def _standing(self, turn: Turn | None, client: str, announced: int | None) -> Standing:
        if turn is not None:
            return Standing.CALLED if turn.has_come(self._clock()) else Standing.WAITING
        return Standing.WAITING if self._turns.has_key(client, announced) else Standing.NEW

    def _send_back(self, refusal: RungsError, turn: Turn | None, load: Load, client: str) -> None:
        """Note when the client will come back; nobody loses a turn by a refusal."""
        if not isinstance(refusal, BusyError):
            return
        now, full = self._clock(), isinstance(refusal, QueueFullError)
        capped = full and refusal.retry_after == LONGEST_RETRY_AFTER
        due = now + (until_room(load, self.limits) if capped else refusal.retry_after)
        if turn is not None:
            turn = self._turns.keep(turn, now, due=due if load.standing is Standing.CALLED else turn.due)
        elif full:
            turn = self._turns.give(client, load.announced, now, due=due, token=secrets.token_urlsafe(16))
        if isinstance(refusal, QueueFullError) and turn is not None:
            refusal.turn = turn.token

    def _leave(self, ticket: Ticket, *, turn: Turn | None = None, landed: bool = False) -> None:
        """Give the place back, and the turn of an upload that broke off; one that `landed` is a job by now."""
        with self._lock:
            self._tickets.discard(ticket)
            if landed:
                self._landed.append((self._clock(), ticket.size))
        if not landed:
            self._give_back(turn)

    def _give_back(self, turn: Turn | None) -> None:
        """Keep the turn of an upload that broke off before it was anything."""
        if turn is not None:
            with self._lock:
                now = self._clock()
                self._turns.keep(turn, now, due=now)

    def _load(
        self,
        announced: int | None,
        free: int | None,
        queue: QueueState,
        elsewhere: Elsewhere,
        *,
        client: str | None = None,
        turn: Turn | None = None,
        standing: Standing = Standing.NEW,
    ) -> Load:
        now = self._clock()
        accepted = queue.wait + self._unseen(queue)
        others = elsewhere.without({ticket.upload_id for ticket in self._tickets})
        clients = _clients(self._tickets, others)
        sizes = [*(ticket.size for ticket in self._tickets), *(upload.length for upload in others.moving)]
        return Load(
            announced=announced,
            work=queue.work(announced),
            active=len(clients),
            own=0 if client is None else clients.count(client),
            own_open=0 if client is None else elsewhere.of_client(client),
            pending=_promised(self._tickets, others),
            upload_left=self._upload_left(self._tickets),
            free=free,
            wait=accepted + sum(map(queue.work, sizes)),
            doubt=accepted * (queue.doubt - 1.0),
            standing=standing,
            claims=tuple(claims_of(self._turns.ahead_of(turn), queue.work, now, self.limits.address_work)),
            turn=None if turn is None else max(0.0, turn.due - now),
            owner_jobs=queue.owner_jobs + elsewhere.count,
            owner_ready=queue.owner_ready,
            draining=self._draining(),
        )

    def _upload_left(self, tickets: Iterable[Ticket]) -> float | None:
        """Return in how many seconds the first of these uploads is there, None where that is unknown."""
        now = self._clock()
        return min((left for ticket in tickets if (left := ticket.seconds_left(now)) is not None), default=None)

    def _unseen(self, queue: QueueState) -> float:
        """Return the seconds of work that became jobs after the queue was read."""
        self._landed = [(at, size) for at, size in self._landed if at >= queue.read_at]
        return sum(queue.work(size) for _, size in self._landed)


def _clients(tickets: Iterable[Ticket], others: Elsewhere) -> list[str]:
    """Return whose uploads are under way, each as often as it has one."""
    return [*(ticket.client for ticket in tickets), *(upload.client for upload in others.moving)]


def _promised(tickets: Iterable[Ticket], others: Elsewhere) -> int:
    """Return how many bytes uploads under way still write."""
    return sum(ticket.promised for ticket in tickets) + sum(upload.left for upload in others.moving)
