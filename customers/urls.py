"""The rooms' addresses, joined."""

from customers.work import urls as work

app_name = "customers"

urlpatterns = [*work.urlpatterns]
