from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class WorkspaceConfig(AppConfig):
    name = "retention.workspace"
    label = "workspace"

    def ready(self) -> None:
        """Find what the rooms above add to the first steps, search, checks, backlog, what follows, Today and merges."""
        autodiscover_modules("backlog", "carrying", "checklist", "checks", "finding", "following", "needing")
