"""What `make up` runs: supervisord, its configuration, its logs and the checks before the start."""
