"""The rooms' parts of the API, joined."""

from customers.records import api as records

urlpatterns = [
    *records.urlpatterns,
]
