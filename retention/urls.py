"""Every address of the product, room by room."""

from django.urls import include, path

from customers.api_urls import urlpatterns as customers_api
from loyalty.api import urlpatterns as loyalty_api
from retention.workspace import health
from retention.workspace.api.urls import urlpatterns as workspace_api

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
    path("api/v1/", include(([*workspace_api, *customers_api, *loyalty_api], "api"))),
]

handler404 = "retention.workspace.api.problem.not_found"
handler500 = "retention.workspace.api.problem.broken"
