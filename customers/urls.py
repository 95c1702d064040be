"""The rooms' addresses, joined."""

from customers.cases import urls as cases
from customers.contacts import urls as contacts
from customers.custom import urls as custom
from customers.duplicates import urls as duplicates
from customers.handover import urls as handover
from customers.health import urls as health
from customers.ingest import urls as ingest
from customers.interactions import urls as interactions
from customers.lists import urls as lists
from customers.plans import urls as plans
from customers.playbooks import urls as playbooks
from customers.products import urls as products
from customers.records import urls as records
from customers.renewals import urls as renewals
from customers.segments import urls as segments
from customers.subscriptions import urls as subscriptions
from customers.teams import urls as teams
from customers.together import urls as together
from customers.work import urls as work

app_name = "customers"

urlpatterns = [
    *records.urlpatterns,
    *ingest.urlpatterns,
    *segments.urlpatterns,
    *subscriptions.urlpatterns,
    *renewals.urlpatterns,
    *handover.urlpatterns,
    *plans.urlpatterns,
    *playbooks.urlpatterns,
    *products.urlpatterns,
    *cases.urlpatterns,
    *health.urlpatterns,
    *contacts.urlpatterns,
    *interactions.urlpatterns,
    *custom.urlpatterns,
    *duplicates.urlpatterns,
    *teams.urlpatterns,
    *lists.urlpatterns,
    *together.urlpatterns,
    *work.urlpatterns,
]
