from django.urls import path

from customers.playbooks import many_pages, pages, run_pages

urlpatterns = [
    path("playbooks/", pages.listing, name="playbooks"),
    path("playbooks/new/", pages.new, name="playbook_new"),
    path("playbooks/ready-made/<slug:key>/", pages.take, name="playbook_take"),
    path("playbooks/<int:pk>/", pages.detail, name="playbook"),
    path("playbooks/<int:pk>/edit/", pages.edit, name="playbook_edit"),
    path("playbooks/<int:pk>/act/", pages.act, name="playbook_act"),
    path("playbooks/<int:pk>/steps/new/", pages.step_new, name="playbook_step_new"),
    path("playbooks/steps/<int:pk>/", pages.step_edit, name="playbook_step"),
    path("playbooks/steps/<int:pk>/act/", pages.step_act, name="playbook_step_act"),
    path("playbooks/runs/<int:pk>/", run_pages.run, name="playbook_run"),
    path("playbooks/runs/<int:pk>/stop/", run_pages.stop, name="playbook_stop"),
    path("customers/playbooks/start/", many_pages.start, name="playbook_start_many"),
    path("customers/<int:customer_id>/playbooks/", run_pages.panel, name="playbooks_panel"),
    path("customers/<int:customer_id>/playbooks/start/", run_pages.start, name="playbook_start"),
]
