from django.urls import path

from customers.duplicates import group_pages, merge_pages, pages

urlpatterns = [
    path("customers/duplicates/", pages.duplicates, name="duplicates"),
    path("customers/duplicates/<int:pk>/dismiss/", pages.dismiss, name="duplicate_dismiss"),
    path("customers/<int:customer_id>/duplicates/", pages.panel, name="duplicates_panel"),
    path("customers/<int:pk>/merge/", merge_pages.find, name="merge_with"),
    path("customers/<int:pk>/merge/<int:other>/", merge_pages.compare, name="compare"),
    path("customers/<int:pk>/merge-group/", group_pages.merge_group, name="merge_group"),
    path("customers/merges/", merge_pages.merges, name="merges"),
    path("customers/merges/<int:pk>/", merge_pages.merge, name="merge"),
    path("customers/merges/<int:pk>/undo/", merge_pages.undo, name="merge_undo"),
]
