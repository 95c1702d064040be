from django.urls import path

from customers.products import buyer_pages, list_pages, pages

urlpatterns = [
    path("products/", list_pages.listing, name="products"),
    path("products/new/", pages.new, name="product_new"),
    path("products/<int:pk>/", pages.detail, name="product"),
    path("products/<int:pk>/customers/", buyer_pages.listing, name="product_buyers"),
    path("products/<int:pk>/edit/", pages.edit, name="product_edit"),
    path("customers/<int:customer_id>/products/", pages.panel, name="products_panel"),
]
