"""Uploaded files have an end of life: some while after a file was last tried or brought in, it goes.

What it brought stays, and all that tells of it: the counts, the refused rows, the journal by which it is taken back.
"""

from functools import partial

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.db.models.fields.files import FieldFile

from customers.ingest import unchanged
from customers.models import Import
from retention.common import clock
from retention.workspace.jobs import OPEN


@transaction.atomic
def forget_old() -> int:
    """Delete the files that have had their time. Returns how many.

    One that the next file is compared with stays, and so does one that a job is at. An upload that was never tried
    tells nothing without its file and goes as a whole.
    """
    past = clock.now() - settings.IMPORT_FILES_KEPT
    over = Q(job__finished_at__lt=past) | Q(job=None, created_at__lt=past)
    held = Import.objects.select_related("job").select_for_update(of=("self",), skip_locked=True)
    old = held.filter(over).exclude(file="").exclude(undo_job__state__in=OPEN)
    files: list[FieldFile] = []
    for imported in old.exclude(pk__in=unchanged.compared_with().values("pk")):
        files.append(imported.file)
        if imported.job:
            Import.objects.filter(pk=imported.pk).update(file="")
        else:
            imported.delete()
    transaction.on_commit(partial(_delete, files))
    return len(files)


def _delete(files: list[FieldFile]) -> None:
    for file in files:
        file.delete(save=False)
