"""What both doors of uploads do, the form and tus: admission's questions, counting, and ends of connections."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus

from flask import Response

from storage.errors import BusyError, RungsError
from web.admission.elsewhere import Elsewhere
from web.admission.ticket import Ticket
from web.context import Web
from web.http.connection import close_after_answer


def new_job_id() -> str:
    """Return an unguessable id: 128 random bits as 32 hex digits."""
    return secrets.token_hex(16)


def elsewhere(web: Web) -> Elsewhere:
    """Return the open uploads that no request of this process brings. Raises JobStoreDownError."""
    return Elsewhere.of(web.services.jobs.open_uploads(), web.clock())


@contextmanager
def counted_refusals(web: Web) -> Iterator[None]:
    """Count an upload that is refused in the block."""
    try:
        yield
    except BusyError as error:
        web.metrics.uploads.labels("busy").inc()
        web.queue.note_refusal(error.code)
        raise
    except RungsError:
        web.metrics.uploads.labels("refused").inc()
        raise


def count_bytes(web: Web, ticket: Ticket, size: int) -> None:
    """Count bytes that came. Raises BusyError, with each part, when the store has no room for what is still to come."""
    ticket.received(size)
    web.metrics.upload_bytes.inc(size)
    if ticket.part_is_full():
        web.gate.go_on(web.services.objects.free_bytes())


def close_if_refused(response: Response) -> Response:
    """Close the connection after a refusal: most of the body may still be on its way, and nobody will read it."""
    if response.status_code >= HTTPStatus.BAD_REQUEST:
        close_after_answer()
    return response
