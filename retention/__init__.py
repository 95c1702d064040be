"""The wiring of the project. Every process that uses Django knows the Celery application."""

from .celery import app as celery_app

__all__ = ["celery_app"]
