"""When a client that was too slow or greedy may try again, in seconds."""

from __future__ import annotations

RETRY_AFTER_SLOW = 10  # a line that is slow now may be better soon
# What an address holds ends when somebody closes a page or a file is sent: a try every few seconds is cheap.
RETRY_AFTER_SHARE = 15
