from django.urls import path

from retention.workspace.views import (
    account,
    branding,
    home,
    jobs,
    keys,
    saved_views,
    search,
    settings,
    sign_in,
    welcome,
)

app_name = "workspace"

urlpatterns = [
    path("", home.home, name="home"),
    path("welcome/", welcome.welcome, name="welcome"),
    path("search/", search.everything, name="search"),
    path("start/", home.start, name="start"),
    path("jobs/<uuid:pk>/", jobs.job, name="job"),
    path("jobs/<uuid:pk>/cancel/", jobs.cancel, name="job_cancel"),
    path("branding/logo/", branding.logo, name="logo"),
    path("account/", account.account, name="account"),
    path("account/login/", welcome.sign_in),
    path("account/email/", account.no_change_of_address),
    path("account/demo/", sign_in.demo_sign_in, name="demo_sign_in"),
    path("views/", saved_views.keep, name="view_keep"),
    path("views/opening/", saved_views.opens, name="view_opens"),
    path("views/<int:pk>/rename/", saved_views.rename, name="view_rename"),
    path("views/<int:pk>/drop/", saved_views.drop, name="view_drop"),
    path("settings/", settings.workspace, name="settings"),
    path("settings/keys/", keys.listing, name="keys"),
    path("settings/keys/new/", keys.new, name="key_new"),
    path("settings/keys/<int:pk>/revoke/", keys.revoke, name="key_revoke"),
    path("settings/people/", settings.people, name="people"),
    path("settings/people/new/", settings.person_new, name="person_new"),
    path("settings/people/<int:pk>/", settings.person, name="person"),
    path("settings/people/<int:pk>/access/", settings.person_access, name="person_access"),
    path("settings/people/<int:pk>/link/", settings.person_link, name="person_link"),
]
