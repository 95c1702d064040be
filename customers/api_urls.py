"""The rooms' parts of the API, joined."""

from customers.cases import api as cases
from customers.contacts import api as contacts
from customers.events import api as events
from customers.health import api as health
from customers.interactions import api as interactions
from customers.interactions import files_api as files
from customers.plans import api as plans
from customers.products import api as products
from customers.records import api as records
from customers.records import orders_api as orders
from customers.renewals import api as renewals
from customers.segments import api as segments
from customers.subscriptions import api as subscriptions
from customers.teams import api as teams
from customers.work import api as work

urlpatterns = [
    *records.urlpatterns,
    *contacts.urlpatterns,
    *interactions.urlpatterns,
    *files.urlpatterns,
    *plans.urlpatterns,
    *renewals.urlpatterns,
    *cases.urlpatterns,
    *work.urlpatterns,
    *orders.urlpatterns,
    *subscriptions.urlpatterns,
    *products.urlpatterns,
    *segments.urlpatterns,
    *events.urlpatterns,
    *health.urlpatterns,
    *teams.urlpatterns,
]
