"""Whether an upload is taken now, and when to come back if it is not."""
