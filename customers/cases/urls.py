from django.urls import path

from customers.cases import list_pages, pages

urlpatterns = [
    path("customers/<int:customer_id>/cases/", pages.panel, name="cases_panel"),
    path("customers/<int:customer_id>/cases/new/", pages.new, name="case_new"),
    path("cases/", list_pages.listing, name="cases"),
    path("cases/change/", list_pages.change, name="cases_change"),
    path("cases/new/", pages.open_one, name="case_open"),
    path("cases/<int:pk>/", pages.detail, name="case"),
    path("cases/<int:pk>/edit/", pages.edit, name="case_edit"),
    path("cases/<int:pk>/act/", pages.act, name="case_act"),
]
