from django.urls import path

from campaigns.tracking import public_pages

urlpatterns = [
    path("c/<str:token>/", public_pages.click, name="click"),
    path("o/<str:token>.gif", public_pages.open_pixel, name="open"),
    path("u/<str:token>/", public_pages.leave, name="unsubscribe"),
]
