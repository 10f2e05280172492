"""Telling a job's owner by HTTP that the job has ended."""
