from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class WorkspaceConfig(AppConfig):
    name = "retention.workspace"
    label = "workspace"

    def ready(self) -> None:
        """Find what the rooms above add to the first steps, the search, the checks, the backlog and what follows."""
        autodiscover_modules("backlog", "checklist", "checks", "finding", "following")
