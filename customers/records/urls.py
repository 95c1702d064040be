from django.urls import path

from customers.records.views import listing

urlpatterns = [
    path("customers/", listing.customer_list, name="list"),
    path("customers/export/", listing.export, name="list_export"),
    path("customers/export/<uuid:pk>/", listing.export_file, name="export_file"),
    path("customers/change/", listing.change, name="list_change"),
]
