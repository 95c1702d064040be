from django.urls import path

from customers.contacts import pages

urlpatterns = [
    path("customers/<int:customer_id>/people/", pages.panel, name="people"),
    path("customers/<int:customer_id>/people/new/", pages.new, name="contact_new"),
    path("customers/people/<int:pk>/", pages.edit, name="contact"),
    path("customers/people/<int:pk>/consent/", pages.say, name="contact_consent"),
    path("customers/people/<int:pk>/remove/", pages.remove, name="contact_remove"),
    path("customers/people/<int:pk>/removed/", pages.removed, name="contact_removed"),
    path("customers/people/<int:pk>/restore/", pages.restore, name="contact_restore"),
]
