"""A sample of an idle queue, of which tests make others."""

from __future__ import annotations

from storage.scheduling.queue_rates import Sample

EMPTY = Sample(
    at=1000.0,
    waiting=0,
    running=0,
    waiting_work=0.0,
    running_work=0.0,
    wait=0.0,
    slots=2,
    busy=0,
    arrived=0,
    ended=0,
    stayed=0.0,
    delivered=0.0,
    refused=0,
)
