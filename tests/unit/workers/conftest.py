"""Settings of the property tests of this folder."""

from __future__ import annotations

from hypothesis import settings

# A machine that is busy with encoding is no reason for a property to be false.
settings.register_profile("shared machine", deadline=None)
settings.load_profile("shared machine")
