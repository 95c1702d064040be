from django.urls import path

from customers.segments import explaining, pages

urlpatterns = [
    path("segments/", pages.listing, name="segments"),
    path("segments/new/", pages.new, name="segment_new"),
    path("segments/preview/", pages.look, name="segment_preview"),
    path("segments/customer/<int:customer_id>/", explaining.customer_segments, name="customer_segments"),
    path("segments/<int:pk>/", pages.segment, name="segment"),
    path("segments/<int:pk>/edit/", pages.edit, name="segment_edit"),
    path("segments/<int:pk>/refresh/", pages.refresh, name="segment_refresh"),
    path("segments/<int:pk>/delete/", pages.delete, name="segment_delete"),
    path("segments/<int:pk>/why/", explaining.segment_find, name="segment_find"),
    path("segments/<int:pk>/why/<int:customer_id>/", explaining.segment_explain, name="segment_explain"),
]
