from django.urls import path

from customers.plans import pages, public_pages

urlpatterns = [
    path("today/plans/", pages.every, name="plans"),
    path("customers/<int:customer_id>/plans/", pages.panel, name="plans_panel"),
    path("customers/<int:customer_id>/plans/new/", pages.new, name="plan_new"),
    path("plans/new/", pages.begin, name="plan_begin"),
    path("plans/<int:pk>/", pages.detail, name="plan"),
    path("plans/<int:pk>/edit/", pages.edit, name="plan_edit"),
    path("plans/<int:pk>/act/", pages.act, name="plan_act"),
    path("plans/<int:pk>/goal/", pages.goal_new, name="plan_goal_new"),
    path("plans/<int:pk>/milestone/", pages.milestone_new, name="plan_milestone_new"),
    path("plans/<int:pk>/share/", pages.share, name="plan_share"),
    path("plans/goals/<int:pk>/", pages.goal_edit, name="plan_goal"),
    path("plans/goals/<int:pk>/drop/", pages.goal_drop, name="plan_goal_drop"),
    path("plans/milestones/<int:pk>/", pages.milestone_edit, name="plan_milestone"),
    path("plans/milestones/<int:pk>/act/", pages.milestone_act, name="plan_milestone_act"),
    path("plans/links/<int:pk>/take-back/", pages.take_back, name="plan_link_take_back"),
    path("plan/<str:token>/", public_pages.shared, name="plan_shared"),
]
