from django.urls import path

from customers.lists import contacts, orders, subscriptions

urlpatterns = [
    path("customers/people/", contacts.listing, name="contacts"),
    path("orders/", orders.listing, name="orders"),
    path("subscriptions/", subscriptions.listing, name="subscriptions"),
]
