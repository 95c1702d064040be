from django.urls import path

from customers.work import pages

urlpatterns = [
    path("today/", pages.today, name="today"),
    path("today/snoozed/", pages.snoozed, name="snoozed"),
    path("today/act/", pages.today_act, name="today_act"),
    path("customers/offered/", pages.offered, name="offered"),
    path("customers/<int:pk>/tasks/", pages.customer_act, name="customer_act"),
    path("today/new/", pages.task_new, name="task_new"),
]
