"""Who may do what at Redis and at the object store in Compose; docs/least-rights.md has the table."""
