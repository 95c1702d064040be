from django.urls import path

from customers.records.views import editing, listing, orders, profile

urlpatterns = [
    path("customers/", listing.customer_list, name="list"),
    path("customers/export/", listing.export, name="list_export"),
    path("customers/export/<uuid:pk>/", listing.export_file, name="export_file"),
    path("customers/change/", listing.change, name="list_change"),
    path("customers/new/", editing.new, name="new"),
    path("customers/<int:pk>/", profile.detail, name="detail"),
    path("customers/<int:pk>/edit/", editing.edit, name="edit"),
    path("customers/<int:pk>/timeline/", profile.timeline, name="timeline"),
    path("customers/<int:customer_id>/orders/", orders.panel, name="orders_panel"),
]
