from django.urls import path

from surveys import public_pages

app_name = "surveys"

urlpatterns = [
    path("s/<str:token>/", public_pages.take_answer, name="answer"),
    path("s/<str:token>/thanks/", public_pages.thanks, name="thanks"),
]
