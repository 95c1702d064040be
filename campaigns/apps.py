from django.apps import AppConfig


class CampaignsConfig(AppConfig):
    name = "campaigns"

    def ready(self) -> None:
        from campaigns import backlog  # noqa: F401, PLC0415  # models are not there before now
