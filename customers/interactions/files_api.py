"""Files of interactions in the API: their bytes as base64, told and refused by what they hold, as on the page."""

import base64
import binascii
from typing import Any, ClassVar

from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import SimpleUploadedFile
from django.shortcuts import get_object_or_404
from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from customers.interactions import keeping
from customers.interactions.sniffing import LARGEST, MOST, TAKEN, FileRefused, content_type
from customers.models import Attachment, Interaction
from retention.workspace.api import paging
from retention.workspace.api.entering import person
from retention.workspace.api.problem import wrong
from retention.workspace.api.repeating import once
from retention.workspace.api.resource import Resource, made
from retention.workspace.api.shapes import Instant, Shape, checked
from retention.workspace.roles import Can

#: Base64 makes four characters of three bytes; beside them there is the name.
MOST_BYTES = LARGEST * 4 // 3 + 10_000


class AttachmentShape(Shape):
    id = serializers.UUIDField()
    name = serializers.CharField()
    kind = serializers.CharField(help_text="What it holds, told by its bytes.")
    size = serializers.IntegerField(help_text="In bytes.")


class WholeAttachmentShape(AttachmentShape):
    created_at = Instant()
    content = serializers.CharField(help_text="The bytes as base64.")


class AttachedShape(Shape):
    """One file: up to 10 MB, of a kind that is taken."""

    name = serializers.CharField(max_length=200)
    content = serializers.CharField(help_text=f"The bytes as base64. Taken are {TAKEN}.")


class Attachments(Resource):
    """The files of an interaction."""

    noun = "Interactions"
    needs = {"GET": Can.READ, "POST": Can.EDIT_CUSTOMERS}
    most_bytes: ClassVar[int] = MOST_BYTES

    @extend_schema(
        summary="List an interaction's files",
        parameters=[*paging.PAGING],
        responses=paging.page_of(AttachmentShape),
    )
    def get(self, request: Request, pk: int) -> Response:
        paging.only(request)
        stands = get_object_or_404(Interaction, pk=pk, removed_at=None)
        rows, mark = paging.page(stands.attachments.all(), request, ("created_at", "id"), down=False)
        return paging.answer(request, AttachmentShape(rows, many=True).data, mark)

    @extend_schema(
        summary=f"Attach a file, up to {MOST} for one interaction",
        request=AttachedShape,
        responses={201: AttachmentShape},
    )
    @once
    def post(self, request: Request, pk: int) -> Response:
        stands = get_object_or_404(Interaction, pk=pk, removed_at=None)
        said = checked(AttachedShape, request.data)
        try:
            file = SimpleUploadedFile("file", base64.b64decode(said["content"], validate=True))
            kind = content_type(file, file.size or 0)
            row = keeping.attach(stands, said["name"], file, kind, person(request))
        except binascii.Error as broken:
            raise wrong("content", "This is no base64.") from broken
        except FileRefused as why:
            raise wrong("content", str(why)) from why
        except keeping.NotTheirs as other:
            raise PermissionDenied from other
        return made(request, "attachment", dict(AttachmentShape(row).data))


class OneAttachment(Resource):
    """A file with its bytes."""

    noun = "Interactions"
    needs = {"GET": Can.READ}

    @extend_schema(summary="Read a file", responses=WholeAttachmentShape)
    def get(self, request: Request, attachment: str) -> Response:
        paging.only(request)
        row = get_object_or_404(Attachment, pk=attachment, interaction__removed_at=None)
        with row.file.open("rb") as file:
            content = base64.b64encode(file.read()).decode()
        told: dict[str, Any] = {name: getattr(row, name) for name in ("id", "name", "kind", "size", "created_at")}
        return Response(WholeAttachmentShape(told | {"content": content}).data)


urlpatterns = [
    path("interactions/<int:pk>/attachments/", Attachments.as_view(), name="attachments"),
    path("attachments/<uuid:attachment>/", OneAttachment.as_view(), name="attachment"),
]
