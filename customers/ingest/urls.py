from django.urls import path

from customers.ingest import pages

urlpatterns = [
    path("data/", pages.listing, name="imports"),
    path("data/new/", pages.new, name="import_new"),
    path("data/<int:pk>/", pages.detail, name="import_detail"),
    path("data/<int:pk>/mapping/", pages.mapping, name="import_mapping"),
    path("data/<int:pk>/preview/", pages.previewed, name="import_preview"),
    path("data/<int:pk>/layout/", pages.layout, name="import_layout"),
    path("data/<int:pk>/start/", pages.start, name="import_start"),
    path("data/<int:pk>/refused/", pages.refused_rows, name="import_refused"),
    path("data/<int:pk>/refused.csv", pages.refused_csv, name="import_refused_csv"),
    path("data/<int:pk>/changes/", pages.examples, name="import_examples"),
    path("data/<int:pk>/undo/", pages.undo, name="import_undo"),
    path("data/<int:pk>/kept/", pages.kept_rows, name="import_kept"),
    path("data/<int:pk>/remove/", pages.remove, name="import_remove"),
]
