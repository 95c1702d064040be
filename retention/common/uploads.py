"""Uploads go to disk as they come, up to a limit."""

from django.conf import settings
from django.core.files.uploadhandler import StopUpload, TemporaryFileUploadHandler

EMPTY = "The file is empty. Choose one that has something in it."


class LimitedUploadHandler(TemporaryFileUploadHandler):
    """A file larger than UPLOAD_LIMIT bytes is read and thrown away: its form sees that no file came.

    Nobody who is not signed in brings a file: the body of a POST is read, and would fill the disk, on public pages too.
    """

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        user = getattr(self.request, "user", None)
        limit = settings.UPLOAD_LIMIT if user is not None and user.is_authenticated else 0
        if start + len(raw_data) > limit:
            raise StopUpload
        super().receive_data_chunk(raw_data, start)
