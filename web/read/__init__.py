"""What the routes show: job views, the queue's snapshot and figures, events and metrics."""
