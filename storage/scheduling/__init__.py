"""Which job is next, and when it will start and be ready; pure."""
