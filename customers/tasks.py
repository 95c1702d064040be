"""Where Celery looks for what this room does in workers: importing a module registers its kinds of job."""

from customers.ingest import running

__all__ = ["running"]
