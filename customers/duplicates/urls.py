from django.urls import path

from customers.duplicates import pages

urlpatterns = [
    path("customers/duplicates/", pages.duplicates, name="duplicates"),
    path("customers/duplicates/<int:pk>/dismiss/", pages.dismiss, name="duplicate_dismiss"),
    path("customers/<int:customer_id>/duplicates/", pages.panel, name="duplicates_panel"),
]
