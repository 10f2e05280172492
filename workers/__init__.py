"""The work itself: planning, ffmpeg commands, stages, leases, the janitor and the notifier."""
