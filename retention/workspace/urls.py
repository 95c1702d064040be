from django.urls import path

from retention.workspace.views import home, jobs

app_name = "workspace"

urlpatterns = [
    path("", home.home, name="home"),
    path("jobs/<uuid:pk>/", jobs.job, name="job"),
    path("jobs/<uuid:pk>/cancel/", jobs.cancel, name="job_cancel"),
]
