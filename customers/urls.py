"""The rooms' addresses, joined."""

from customers.ingest import urls as ingest
from customers.work import urls as work

app_name = "customers"

urlpatterns = [*ingest.urlpatterns, *work.urlpatterns]
