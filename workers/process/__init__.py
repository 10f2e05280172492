"""The worker process around Celery: messages, pool, intake, pauses and the machine it runs on."""
