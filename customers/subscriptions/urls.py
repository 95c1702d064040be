from django.urls import path

from customers.subscriptions import pages

urlpatterns = [
    path("customers/<int:customer_id>/subscriptions/", pages.panel, name="subscriptions_panel"),
    path("customers/<int:customer_id>/subscriptions/new/", pages.new, name="subscription_new"),
    path("subscriptions/<int:pk>/", pages.detail, name="subscription"),
    path("subscriptions/<int:pk>/change/", pages.change, name="subscription_change"),
    path("subscriptions/<int:pk>/renew/", pages.renew, name="subscription_renew"),
    path("subscriptions/<int:pk>/cancel/", pages.cancel, name="subscription_cancel"),
    path("subscriptions/<int:pk>/resume/", pages.resume, name="subscription_resume"),
]
