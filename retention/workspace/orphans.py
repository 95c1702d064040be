"""Files that no row names: what a request had saved that failed, or was refused, before its row stayed.

They are not deleted with the request, since whoever is killed deletes nothing; a daily look finds them all.
"""

import time
from collections import defaultdict
from collections.abc import Iterator
from datetime import timedelta
from pathlib import PurePosixPath

from django.apps import apps
from django.core.files.storage import Storage
from django.db.models import FileField

#: Long enough for any request to end, and for a copy of the database to be put back beside its files.
KEPT = timedelta(days=7)


def sweep() -> int:
    """Delete the files of all models' fields that no row has named for a week. Returns how many."""
    swept = 0
    for folder, fields in _folders().items():
        storage = fields[0].storage
        named = {name for field in fields for name in _named(field)}
        for name in _old(storage, folder):
            if name not in named:
                storage.delete(name)
                swept += 1
    return swept


def _folders() -> "dict[str, list[FileField]]":
    """The fields of files, by the folder that theirs lie in."""
    found = defaultdict(list)
    for model in apps.get_models():
        for field in model._meta.local_concrete_fields:
            if isinstance(field, FileField):
                found[PurePosixPath(str(field.upload_to)).parts[0]].append(field)
    return dict(found)


def _named(field: FileField) -> Iterator[str]:
    rows = field.model._default_manager.exclude(**{field.name: ""})
    yield from rows.values_list(field.name, flat=True).iterator()


def _old(storage: Storage, folder: str) -> Iterator[str]:
    """Files below a folder that were written long ago, by the clock that wrote them: the machine's."""
    if not storage.exists(folder):
        return
    folders, files = storage.listdir(folder)
    for each in folders:
        yield from _old(storage, f"{folder}/{each}")
    for each in files:
        name = f"{folder}/{each}"
        if storage.get_modified_time(name).timestamp() < time.time() - KEPT.total_seconds():
            yield name
