"""Every address of the product, room by room."""

from django.urls import include, path

from retention.workspace import health

urlpatterns = [
    path("healthz", health.alive),
    path("readyz", health.ready),
    path("", include("retention.workspace.urls")),
    path("", include("customers.urls")),
    path("", include("surveys.urls")),
    path("", include("loyalty.urls")),
    path("", include("campaigns.urls")),
    path("", include("metrics.urls")),
    path("account/", include("allauth.urls")),
]
