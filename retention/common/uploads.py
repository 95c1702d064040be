"""Uploads go to disk as they come, up to a limit."""

from django.conf import settings
from django.core.files.uploadhandler import StopUpload, TemporaryFileUploadHandler


class LimitedUploadHandler(TemporaryFileUploadHandler):
    """A file larger than UPLOAD_LIMIT bytes is read and thrown away: its form sees that no file came."""

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        if start + len(raw_data) > settings.UPLOAD_LIMIT:
            raise StopUpload
        super().receive_data_chunk(raw_data, start)
