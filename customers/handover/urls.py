from django.urls import path

from customers.handover import pages

urlpatterns = [
    path("customers/hand-overs/", pages.listing, name="handovers"),
    path("customers/hand-overs/new/", pages.new, name="handover_new"),
    path("customers/hand-overs/<int:pk>/", pages.detail, name="handover"),
    path("customers/hand-overs/<int:pk>/undo/", pages.undo, name="handover_undo"),
    path("customers/hand-overs/notes/<int:pk>/", pages.note, name="handover_note"),
]
