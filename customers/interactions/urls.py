from django.urls import path

from customers.interactions import pages

urlpatterns = [
    path("customers/<int:customer_id>/interactions/", pages.listing, name="interactions"),
    path("customers/<int:customer_id>/interactions/new/", pages.new, name="interaction_new"),
    path("customers/interactions/<int:pk>/", pages.one, name="interaction"),
    path("customers/interactions/<int:pk>/edit/", pages.edit, name="interaction_edit"),
    path("customers/interactions/<int:pk>/act/", pages.act, name="interaction_act"),
    path("customers/attachments/<uuid:pk>/", pages.attachment, name="attachment"),
]
