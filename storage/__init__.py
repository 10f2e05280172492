"""What web and workers share: job records, objects, events, publishing, settings and errors."""
