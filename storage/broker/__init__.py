"""Tasks on their way to the workers: the contract of publishing, and Celery on Redis and RabbitMQ."""
