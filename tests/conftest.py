"""Fixtures for every room: the data sets, the people, a clock that stands still."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.apps import AppConfig
from django.conf import settings
from django.db.models.signals import post_migrate
from django.dispatch import receiver
from django.test import Client

from retention.workspace.models import User, Workspace
from retention.workspace.roles import Role

SHARED = Path(os.environ.get("RETENTION_SHARED", settings.BASE_DIR.parent / "shared"))


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real data sets."""
    if not (SHARED / "data").is_dir():
        pytest.skip(f"needs the data sets at {SHARED} (set RETENTION_SHARED)")
    return SHARED / "data"


@receiver(post_migrate)
def the_workspace(app_config: AppConfig, **_: Any) -> None:
    """Tests that commit for real empty every table afterwards; the row that a migration made must come back."""
    if app_config.label == "workspace":
        Workspace.objects.get_or_create(id=1)


@pytest.fixture
def signed_in(db: None) -> Callable[[str], Client]:
    """A client signed in as a person with the given role."""

    def as_role(role: str) -> Client:
        user, _ = User.objects.get_or_create(email=f"{role}@example.test", defaults={"role": Role(role)})
        client = Client()
        client.force_login(user)
        return client

    return as_role
