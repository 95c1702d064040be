from django.urls import path

from surveys import pages, public_pages

app_name = "surveys"

urlpatterns = [
    path("s/<str:token>/", public_pages.take_answer, name="answer"),
    path("s/<str:token>/thanks/", public_pages.thanks, name="thanks"),
    path("surveys/", pages.survey_list, name="list"),
    path("surveys/new/", pages.survey_new, name="new"),
    path("surveys/heard/", pages.answer_heard, name="heard"),
    path("surveys/customer/<int:customer_id>/", pages.customer_panel, name="customer_panel"),
    path("surveys/<int:pk>/", pages.survey_detail, name="detail"),
    path("surveys/<int:pk>/edit/", pages.survey_edit, name="edit"),
    path("surveys/<int:pk>/close/", pages.survey_close, name="close"),
    path("surveys/<int:pk>/reopen/", pages.survey_reopen, name="reopen"),
    path("surveys/<int:pk>/preview/", pages.survey_preview, name="preview"),
]
