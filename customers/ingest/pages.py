"""The pages under /data/: a file comes in, is mapped, tried, brought in, and tells what became of its rows."""

from pathlib import Path

from django.contrib import messages
from django.core.files.uploadedfile import TemporaryUploadedFile
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from customers.ingest import imports, naming, refused
from customers.ingest.fields import BY_ID, WITH_ORDERS, targets
from customers.ingest.forms import LayoutForm, MappingForm, UploadForm
from customers.ingest.guess import guess_fields, guess_layout, states_in
from customers.ingest.mapping import Mapping, from_json, matches
from customers.ingest.presets import recognised
from customers.ingest.preview import preview, sample
from customers.ingest.reader import FileRefused, Layout
from customers.ingest.rehearsal import EXAMPLES, told
from customers.ingest.undo.running import MOST as MOST_FORESEEN
from customers.models import Import
from customers.models.imports import ImportKind
from retention.common.opened import mark
from retention.workspace.models import Workspace
from retention.workspace.people import person, workspace_of
from retention.workspace.roles import Can, requires

PAGE = 50
BUSY = "This import is running. Wait until it has ended, or stop it first; nothing was changed."
MEANWHILE = (
    "Somebody else said anew how this file is read after you opened it, and nothing of yours is saved yet. "
    "What you chose is below; try it out once more to put it in place of theirs."
)
TRIED_ANEW = "Somebody else tried this file in another way meanwhile. This is what would happen now; nothing was begun."


@require_safe
@requires(Can.IMPORT)
def listing(request: HttpRequest) -> HttpResponse:
    """Every file that was taken in, the latest first."""
    rows = Import.objects.select_related("job__created_by").order_by("-created_at", "-pk")
    page = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    return render(request, "customers/ingest/list.html", {"page": page})


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Can.IMPORT)
def new(request: HttpRequest) -> HttpResponse:
    """Take a file in."""
    form = UploadForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        taken = imports.take_in(file, file.name, form.cleaned_data.get("chosen") or _guessed(file, form))
        return redirect("customers:import_mapping", taken.pk)
    return render(request, "customers/ingest/new.html", {"form": form})


def _guessed(file: TemporaryUploadedFile, form: UploadForm) -> Mapping:
    """A guess at how to read the file; where it cannot be read as told, the next page says why."""
    kind, encoding = form.cleaned_data["kind"], form.cleaned_data["encoding"]
    path, layout = Path(file.temporary_file_path()), Layout(encoding=encoding)
    try:
        layout = guess_layout(path, encoding)
        return guess_fields(path, layout, kind, file.name or "")
    except FileRefused:
        return Mapping(kind or ImportKind.CUSTOMERS, layout)


@require_safe
@requires(Can.IMPORT)
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    """How the import goes, and how it ended. One that was never tried still waits for its mapping."""
    imported = get_object_or_404(Import.objects.select_related("job", "undo_job"), pk=pk)
    if imported.job is None:
        return redirect("customers:import_mapping", pk)
    undo = imported.undo_job
    since = undo if undo and undo.created_at > imported.job.created_at else None
    return render(request, "customers/ingest/detail.html", {"imported": imported, "job": imported.job, "undo": since})


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Can.IMPORT)
def mapping(request: HttpRequest, pk: int) -> HttpResponse:
    """What the columns become; once that is settled, a trial begins."""
    imported = _with_file(pk)
    present = from_json(imported.spec)
    context = {"imported": imported, "layout": LayoutForm.of(present), "skips": present.skips, "free": present.free}
    context["apart"] = "" if BY_ID in present.fields else _told_apart(present)
    try:
        context["sample"] = first = sample(Path(imported.file.path), present.layout)
        context["preset"] = recognised(first.columns, present.kind, imported.filename)
        if present.kind in WITH_ORDERS:
            context["told"] = states_in(Path(imported.file.path), present.layout)
    except FileRefused as problem:
        return render(request, "customers/ingest/mapping.html", context | {"problem": problem})
    form = MappingForm(present, first.columns, request.POST or None)
    done = _try(request, imported, form) if request.method == "POST" and form.is_valid() else None
    if done:
        return done
    context |= {"form": form, "opened": mark(imported.spec)}
    return render(request, "customers/ingest/mapping.html", context, status=409 if form.non_field_errors() else 200)


def _told_apart(present: Mapping) -> str:
    """What tells customers apart instead of their ids, in words; "" where they are to have them."""
    return "" if present.match == BY_ID else matches(present.kind, targets(present.kind)).get(present.match, "")


def _with_file(pk: int) -> Import:
    """An import whose file has not had its time. Raises Http404."""
    return get_object_or_404(Import.objects.select_related("job").exclude(file=""), pk=pk)


def _try(request: HttpRequest, imported: Import, form: MappingForm) -> HttpResponse | None:
    """Begin a trial; None where that cannot be, which the form says and keeps what was chosen."""
    try:
        imports.remap(imported, form.mapping(), request.POST.get("opened", ""))
        imports.start(imported, dry_run=True, by=person(request))
    except imports.StillRunning:
        form.add_error(None, BUSY)
        return None
    except imports.ChangedMeanwhile:
        form.add_error(None, MEANWHILE)
        return None
    if name := form.cleaned_data["save_as"].strip():
        naming.save(name, form.mapping())
        messages.success(request, f"The mapping is saved as {name}.")
    return redirect("customers:import_detail", imported.pk)


@require_POST
@requires(Can.IMPORT)
def previewed(request: HttpRequest, pk: int) -> HttpResponse:
    """What the mapping, as it is filled in now, makes of the first rows. Keeps nothing."""
    imported = _with_file(pk)
    present = from_json(imported.spec)
    try:
        first = sample(Path(imported.file.path), present.layout)
    except FileRefused as problem:
        return render(request, "customers/ingest/preview.html", {"problem": problem})
    form = MappingForm(present, first.columns, request.POST)
    if not form.is_valid():
        return render(request, "customers/ingest/preview.html", {"form": form})
    told = form.mapping()
    made = preview(first, told, Workspace.current().time_zone)
    return render(request, "customers/ingest/preview.html", {"preview": made, "unused": told.unused(first.columns)})


@require_POST
@requires(Can.IMPORT)
def layout(request: HttpRequest, pk: int) -> HttpResponse:
    """Read the file in another way, and guess its columns anew."""
    imported = _with_file(pk)
    form = LayoutForm(request.POST)
    if form.is_valid():
        kind, written = form.cleaned_data["kind"], form.layout()
        try:
            imports.remap(imported, guess_fields(Path(imported.file.path), written, kind, imported.filename))
        except FileRefused:
            imports.remap(imported, Mapping(kind, written))
        except imports.StillRunning:
            messages.error(request, BUSY)
    return redirect("customers:import_mapping", pk)


@require_POST
@requires(Can.IMPORT)
def start(request: HttpRequest, pk: int) -> HttpResponse:
    """Bring the file in, as it was tried."""
    imported = _with_file(pk)
    try:
        imports.start(imported, dry_run=False, by=person(request), tried=request.POST.get("tried", ""))
    except imports.StillRunning:
        messages.error(request, BUSY)
    except imports.ChangedMeanwhile:
        messages.error(request, TRIED_ANEW)
    return redirect("customers:import_detail", pk)


@require_safe
@requires(Can.IMPORT)
def refused_rows(request: HttpRequest, pk: int) -> HttpResponse:
    """The rows that were refused, with their reasons and what they said."""
    imported = get_object_or_404(Import.objects.select_related("job"), pk=pk)
    page = Paginator(imported.rejected.order_by("line"), PAGE).get_page(request.GET.get("page"))
    return render(request, "customers/ingest/refused.html", {"imported": imported, "page": page})


@require_safe
@requires(Can.IMPORT)
def refused_csv(_request: HttpRequest, pk: int) -> StreamingHttpResponse:
    imported = get_object_or_404(Import, pk=pk)
    response = StreamingHttpResponse(refused.as_csv(imported), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="refused-{pk}.csv"'
    return response


@require_POST
@requires(Can.IMPORT)
def undo(request: HttpRequest, pk: int) -> HttpResponse:
    """Take the import back, or with `try` say what that would do."""
    imported = get_object_or_404(Import, pk=pk)
    try:
        imports.undo(imported, dry_run="try" in request.POST, by=person(request))
    except imports.StillRunning:
        messages.error(request, BUSY)
    except imports.NothingToUndo:
        messages.error(request, "There is nothing to take back: this import changed nothing that still stands.")
    return redirect("customers:import_detail", pk)


@require_safe
@requires(Can.IMPORT)
def examples(request: HttpRequest, pk: int) -> HttpResponse:
    """Rows as the trial would change them, field by field."""
    imported = get_object_or_404(Import.objects.select_related("job"), pk=pk)
    page = Paginator(imported.examples.order_by("id"), PAGE).get_page(request.GET.get("page"))
    context = {
        "imported": imported,
        "page": page,
        "shown": told(page, workspace_of(request).currency),
        "most": EXAMPLES,
    }
    return render(request, "customers/ingest/examples.html", context)


@require_safe
@requires(Can.IMPORT)
def kept_rows(request: HttpRequest, pk: int) -> HttpResponse:
    """What an undo had to leave as it is, and why."""
    imported = get_object_or_404(Import.objects.select_related("job"), pk=pk)
    page = Paginator(imported.kept.order_by("id"), PAGE).get_page(request.GET.get("page"))
    return render(request, "customers/ingest/kept.html", {"imported": imported, "page": page, "most": MOST_FORESEEN})


@require_POST
@requires(Can.IMPORT)
def remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Forget the file. What it brought in stays."""
    imported = get_object_or_404(Import.objects.select_related("job"), pk=pk)
    try:
        imports.remove(imported)
    except imports.StillRunning:
        messages.error(request, BUSY)
        return redirect("customers:import_detail", pk)
    messages.success(request, f"{imported.filename} is removed. What it brought in stays.")
    return redirect("customers:imports")
