from django.apps import AppConfig


class DemoConfig(AppConfig):
    name = "retention.demo"
    label = "demo"
