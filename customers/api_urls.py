"""The rooms' parts of the API, joined."""

from customers.cases import api as cases
from customers.contacts import api as contacts
from customers.interactions import api as interactions
from customers.records import api as records
from customers.work import api as work

urlpatterns = [
    *records.urlpatterns,
    *contacts.urlpatterns,
    *interactions.urlpatterns,
    *cases.urlpatterns,
    *work.urlpatterns,
]
