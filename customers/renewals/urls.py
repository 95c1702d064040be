from django.urls import path

from customers.renewals import pages

urlpatterns = [
    path("today/renewals/", pages.board_page, name="renewals"),
    path("today/renewals/list/", pages.listing, name="renewals_list"),
    path("today/renewals/<int:pk>/", pages.forecast, name="renewal_forecast"),
]
