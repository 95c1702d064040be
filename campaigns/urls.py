from django.urls import path

from campaigns.pages import editing, launching, outbox, overview, suppressions
from campaigns.tracking import urls as tracking

app_name = "campaigns"
urlpatterns = [
    *tracking.urlpatterns,
    path("campaigns/", overview.campaign_list, name="list"),
    path("campaigns/new/", editing.campaign_new, name="new"),
    path("campaigns/preview/", editing.campaign_preview, name="preview"),
    path("campaigns/test/", editing.campaign_test, name="test"),
    path("campaigns/customer-options/", editing.customer_options, name="customer_options"),
    path("campaigns/outbox/", outbox.outbox_list, name="outbox"),
    path("campaigns/outbox/<path:name>/frame/", outbox.outbox_frame, name="outbox_frame"),
    path("campaigns/outbox/<path:name>/", outbox.outbox_mail, name="outbox_mail"),
    path("campaigns/suppressions/", suppressions.suppression_list, name="suppressions"),
    path("campaigns/suppressions/add/", suppressions.suppression_add, name="suppression_add"),
    path("campaigns/suppressions/<int:pk>/remove/", suppressions.suppression_remove, name="suppression_remove"),
    path("campaigns/messages/<int:pk>/mark-sent/", launching.message_mark_sent, name="message_mark_sent"),
    path("campaigns/messages/<int:pk>/resend/", launching.message_resend, name="message_resend"),
    path("campaigns/customer/<int:customer_id>/", overview.customer_panel, name="customer_panel"),
    path("campaigns/<int:pk>/", overview.campaign_detail, name="detail"),
    path("campaigns/<int:pk>/edit/", editing.campaign_edit, name="edit"),
    path("campaigns/<int:pk>/delete/", editing.campaign_delete, name="delete"),
    path("campaigns/<int:pk>/launch/", launching.campaign_launch, name="launch"),
    path("campaigns/<int:pk>/pause/", launching.campaign_pause, name="pause"),
    path("campaigns/<int:pk>/resume/", launching.campaign_resume, name="resume"),
    path("campaigns/<int:pk>/finish/", launching.campaign_finish, name="finish"),
    path("campaigns/<int:pk>/customers/", overview.campaign_people, name="people"),
    path("campaigns/<int:pk>/customers/<int:customer_id>/", overview.campaign_customer, name="customer"),
]
