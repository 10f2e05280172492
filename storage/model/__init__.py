"""The words of a job: its record, tasks, plan, warnings and damage; pure."""
