"""Restoring the job records from the object store after Redis was lost."""
