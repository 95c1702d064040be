from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class CustomersConfig(AppConfig):
    name = "customers"

    def ready(self) -> None:
        """Find what the rooms above know of a customer's health, and what segments can ask of them."""
        autodiscover_modules("health_inputs", "segment_fields")
