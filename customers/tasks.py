"""Where Celery looks for what this room does in workers: importing a module registers its kinds of job."""

from customers.ingest import running
from customers.records import bulk, exporting

__all__ = ["bulk", "exporting", "running"]
