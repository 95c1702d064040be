from django.urls import path

from customers.health import pages, settings_pages

urlpatterns = [
    path("customers/<int:customer_id>/health/", pages.panel, name="health_panel"),
    path("settings/health/", settings_pages.overview, name="health_settings"),
    path("settings/health/bands/", settings_pages.bands, name="health_bands"),
    path("settings/health/new/", settings_pages.new, name="health_profile_new"),
    path("settings/health/everybody-else/", settings_pages.everybody_else, name="health_everybody_else"),
    path("settings/health/<int:pk>/", settings_pages.edit, name="health_profile"),
    path("settings/health/<int:pk>/up/", settings_pages.up, name="health_profile_up"),
    path("settings/health/<int:pk>/delete/", settings_pages.delete, name="health_profile_delete"),
    path("settings/health/preview/", settings_pages.preview_part, name="health_preview"),
]
