"""Addresses of static files, worked out once for each: a page has fifty, and they change with a release alone."""

from functools import cache
from typing import Any

from django.contrib.staticfiles.storage import StaticFilesStorage
from whitenoise.storage import CompressedManifestStaticFilesStorage


class _Remembered(StaticFilesStorage):
    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.url = cache(super().url)  # type: ignore[method-assign]


class Plain(_Remembered):
    """Files from where they are."""


class Collected(_Remembered, CompressedManifestStaticFilesStorage):  # type: ignore[misc]  # its package has no types
    """Files under names that say what is in them."""
