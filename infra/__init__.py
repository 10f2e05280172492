"""How Rungs is started: set-up, the supervisor behind `make up`, images, nginx and Redis."""
