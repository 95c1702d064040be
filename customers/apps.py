from django.apps import AppConfig


class CustomersConfig(AppConfig):
    name = "customers"

    def ready(self) -> None:
        from customers import backlog  # noqa: F401, PLC0415  # models are not there before now
