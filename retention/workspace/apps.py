from django.apps import AppConfig


class WorkspaceConfig(AppConfig):
    name = "retention.workspace"
    label = "workspace"
    verbose_name = "Workspace"
