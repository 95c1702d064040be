from django.apps import AppConfig
from django.db.backends.signals import connection_created
from django.utils.module_loading import autodiscover_modules

from retention.common import planned


class WorkspaceConfig(AppConfig):
    name = "retention.workspace"
    label = "workspace"

    def ready(self) -> None:
        """Find what the rooms above add to the first steps, search, checks, backlog, what follows, Today and merges."""
        connection_created.connect(planned.keep_plans)
        autodiscover_modules("backlog", "carrying", "checklist", "checks", "finding", "following", "needing")
