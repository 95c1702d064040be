from django.urls import path

from loyalty.pages import deciding, limits, listing, making

app_name = "loyalty"

urlpatterns = [
    path("loyalty/", listing.offer_list, name="list"),
    path("loyalty/use/", listing.use_many, name="use_many"),
    path("loyalty/waiting/", deciding.waiting, name="waiting"),
    path("loyalty/outcomes/", listing.came_of_it, name="outcomes"),
    path("loyalty/limits/", limits.overview, name="limits"),
    path("loyalty/limits/new/", limits.new, name="limits_new"),
    path("loyalty/limits/<int:pk>/", limits.edit, name="limits_edit"),
    path("loyalty/limits/<int:pk>/drop/", limits.drop, name="limits_drop"),
    path("loyalty/customer/<int:customer_id>/", making.panel, name="customer_panel"),
    path("loyalty/customer/<int:customer_id>/new/", making.new, name="new"),
    path("loyalty/customer/<int:customer_id>/weigh/", making.weigh, name="weigh"),
    path("loyalty/<int:pk>/", deciding.detail, name="detail"),
    path("loyalty/<int:pk>/decide/", deciding.decide, name="decide"),
    path("loyalty/<int:pk>/withdraw/", deciding.withdraw, name="withdraw"),
    path("loyalty/<int:pk>/use/", deciding.use, name="use"),
]
