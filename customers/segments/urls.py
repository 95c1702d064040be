from django.urls import path

from customers.segments import comparison_pages, explaining, hand_pages, pages, ready_pages

urlpatterns = [
    path("segments/", pages.listing, name="segments"),
    path("segments/new/", pages.new, name="segment_new"),
    path("segments/new-list/", hand_pages.list_new, name="segment_list_new"),
    path("segments/ready-made/", ready_pages.ready_made, name="segments_ready_made"),
    path("segments/ready-made/<str:key>/", ready_pages.ready_made_take, name="segment_take"),
    path("segments/preview/", pages.look, name="segment_preview"),
    path("segments/customer/<int:customer_id>/", explaining.customer_segments, name="customer_segments"),
    path("segments/<int:pk>/", pages.segment, name="segment"),
    path("segments/<int:pk>/edit/", pages.edit, name="segment_edit"),
    path("segments/<int:pk>/refresh/", pages.refresh, name="segment_refresh"),
    path("segments/<int:pk>/delete/", pages.delete, name="segment_delete"),
    path("segments/<int:pk>/by-hand/", hand_pages.hand, name="segment_hand"),
    path("segments/<int:pk>/by-hand/customer/", hand_pages.hand_decide, name="segment_hand_decide"),
    path(
        "segments/<int:pk>/by-hand/customer/<int:customer_id>/", hand_pages.hand_customer, name="segment_hand_customer"
    ),
    path("segments/<int:pk>/by-hand/file/", hand_pages.hand_file, name="segment_hand_file"),
    path("segments/by-hand/agree/<uuid:job_id>/", hand_pages.list_agree, name="segment_list_agree"),
    path("segments/<int:pk>/by-hand/<int:change_id>/undo/", hand_pages.hand_undo, name="segment_hand_undo"),
    path("segments/<int:pk>/by-hand/<int:change_id>/not-found/", hand_pages.hand_unmatched, name="segment_unmatched"),
    path("segments/<int:pk>/overlap/", comparison_pages.segment_overlap, name="segment_overlap"),
    path("segments/<int:pk>/apart/", comparison_pages.segment_apart, name="segment_apart"),
    path("segments/<int:pk>/apart/<str:key>/", comparison_pages.segment_apart_field, name="segment_apart_field"),
    path("segments/<int:pk>/why/", explaining.segment_find, name="segment_find"),
    path("segments/<int:pk>/why/<int:customer_id>/", explaining.segment_explain, name="segment_explain"),
]
