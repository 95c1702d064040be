from django.urls import path

from customers.together import pages

urlpatterns = [
    path("customers/changes/", pages.listing, name="changes"),
    path("customers/changes/<int:pk>/", pages.detail, name="together"),
    path("customers/changes/<int:pk>/undo/", pages.undo, name="together_undo"),
]
