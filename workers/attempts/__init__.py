"""One attempt at a task: its lease, its end, and what a failure means."""
