"""Fixtures for every room: the data sets, the people, a clock that stands still."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.apps import AppConfig
from django.conf import settings
from django.db import connection
from django.db.models.signals import post_migrate
from django.dispatch import receiver
from django.test import Client
from hypothesis import settings as tries
from pytest_django.plugin import DjangoDbBlocker

from retention.workspace.models import User, Workspace
from retention.workspace.roles import Role
from tests.chromium import chromium
from tests.online_retail import bring_in, connected_to, copied

__all__ = ["chromium"]

# How long an example takes is the machine's affair.
tries.register_profile("patient", deadline=None)
tries.load_profile("patient")

SHARED = Path(os.environ.get("RETENTION_SHARED", settings.BASE_DIR.parent / "shared"))


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real data sets."""
    if not (SHARED / "data").is_dir():
        pytest.skip(f"needs the data sets at {SHARED} (set RETENTION_SHARED)")
    return SHARED / "data"


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest begin, so that of several processes none has them left at the end."""
    items.sort(key=lambda item: "journeys" not in item.path.parts)


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


@pytest.fixture(scope="session")
def online_retail_database(django_db_setup: None, django_db_blocker: DjangoDbBlocker, shared: Path) -> Iterator[str]:
    """The name of a database into which Online Retail was imported."""
    with django_db_blocker.unblock():
        empty = connection.settings_dict["NAME"]
        with copied(empty, f"{empty}_online_retail") as name:
            with connected_to(name):
                bring_in(shared / "online_retail" / "online_retail.csv.gz", "online_retail")
            yield name


@pytest.fixture(scope="module")
def online_retail(online_retail_database: str, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """From here to the module's end tests work on a copy of the imported data: see tests/online_retail.py."""
    copy = f"{online_retail_database}_copy"
    with django_db_blocker.unblock(), copied(online_retail_database, copy) as name, connected_to(name):
        yield
