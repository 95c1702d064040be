from django.urls import path

from customers.teams import pages

urlpatterns = [
    path("settings/teams/", pages.listing, name="teams"),
    path("settings/teams/new/", pages.new, name="team_new"),
    path("settings/teams/<int:pk>/", pages.edit, name="team"),
    path("settings/teams/<int:pk>/delete/", pages.delete, name="team_delete"),
]
