from django.urls import path

from customers.custom import pages

urlpatterns = [
    path("settings/fields/", pages.listing, name="custom_fields"),
    path("settings/fields/new/<str:about>/", pages.new, name="custom_field_new"),
    path("settings/fields/<int:pk>/", pages.edit, name="custom_field"),
    path("settings/fields/<int:pk>/act/", pages.act, name="custom_field_act"),
]
