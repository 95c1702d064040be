"""No address is open by mistake: each view of the project says who may, and refuses the others."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import URLPattern, URLResolver, get_resolver
from pytest_django import Settings

from campaigns.models import Campaign
from customers.models import Customer, Import, Segment, Task
from retention.common import clock
from retention.workspace.models import Job, Workspace
from retention.workspace.roles import GRANTS, Can, Role
from surveys.models import Invitation, Survey

#: Third-party views, which guard themselves: allauth's, below /account/.
GUARDED_THEMSELVES = {
    "account_change_password",
    "account_confirm_email",
    "account_confirm_login_code",
    "account_email",
    "account_email_verification_sent",
    "account_inactive",
    "account_login",
    "account_logout",
    "account_reauthenticate",
    "account_reset_password",
    "account_reset_password_done",
    "account_reset_password_from_key",
    "account_reset_password_from_key_done",
    "account_set_password",
    "account_signup",
    "mfa_activate_totp",
    "mfa_authenticate",
    "mfa_deactivate_totp",
    "mfa_download_recovery_codes",
    "mfa_generate_recovery_codes",
    "mfa_index",
    "mfa_reauthenticate",
    "mfa_view_recovery_codes",
}
#: Of these, what strangers may see.
FOR_STRANGERS = {name for name in GUARDED_THEMSELVES if name.startswith("account_")} - {
    "account_change_password",
    "account_email",
    "account_reauthenticate",
    "account_set_password",
}
#: A rule that the segment builder takes.
EVERYBODY: dict[str, list[str]] = {"all": []}
SAMPLES = {
    "int": "1",
    "uuid": "00000000-0000-4000-8000-000000000001",
    "str": "x",
    "slug": "x",
    "path": "x",
}


def patterns(resolver: URLResolver | None = None, before: str = "/") -> Iterator[tuple[URLPattern, str]]:
    """Every address of the project, with a sample of each of its parts."""
    for entry in (resolver or get_resolver()).url_patterns:
        if isinstance(entry, URLResolver):
            yield from patterns(entry, before + sample(entry))
        else:
            yield entry, before + sample(entry)


def sample(entry: URLPattern | URLResolver) -> str:
    text = str(entry.pattern)
    for name, converter in entry.pattern.converters.items():
        kind = type(converter).__name__.removesuffix("Converter").lower().replace("string", "str")
        for written in (f"<{kind}:{name}>", f"<{name}>"):
            text = text.replace(written, SAMPLES[kind])
    return text


def undeclared(entries: Iterator[tuple[URLPattern, str]]) -> list[str]:
    return [
        url
        for pattern, url in entries
        if not getattr(pattern.callback, "admits", None) and pattern.name not in GUARDED_THEMSELVES
    ]


def test_it_works() -> None:
    assert undeclared(patterns()) == []


def test_a_forgotten_declaration_is_found() -> None:
    assert undeclared(iter([(URLPattern(get_resolver().pattern, lambda request: None), "/forgotten/")])) == [
        "/forgotten/"
    ]


def test_what_is_declared_is_known() -> None:
    said = {getattr(pattern.callback, "admits", "anyone") for pattern, _ in patterns()}
    assert said <= {*Can, "anyone"}


@pytest.mark.parametrize("role", list(Role))
def test_each_role_is_refused_what_it_may_not(role: Role, signed_in: Callable[[str], Client]) -> None:
    client = signed_in(role)
    for pattern, url in patterns():
        needs = getattr(pattern.callback, "admits", "anyone")
        if needs == "anyone" or needs in GRANTS[role]:
            continue
        for method in (client.get, client.post):
            assert method(url).status_code in (403, 405), f"{role} got into {url}"
        assert 403 in (client.get(url).status_code, client.post(url).status_code), f"{role} was not refused {url}"


def test_strangers_are_sent_to_sign_in(db: None) -> None:
    client = Client()
    for pattern, url in patterns():
        open_to_all = getattr(pattern.callback, "admits", "") == "anyone" or pattern.name in FOR_STRANGERS
        if open_to_all or "(?P<" in url:
            continue
        response = client.get(url)
        if response.status_code == 405:
            response = client.post(url)
        assert response.status_code == 302, f"a stranger got {response.status_code} at {url}"
        assert response["Location"].startswith("/account/login/"), url


WRITES = re.compile(r"^\s*(WITH\b.*\b)?(INSERT|UPDATE|DELETE|MERGE|TRUNCATE)\b", re.IGNORECASE | re.DOTALL)


def written(client: Client, url: str) -> list[str]:
    """The statements by which a GET changed something. A session's own row is none."""
    with CaptureQueriesContext(connection) as queries:
        client.get(url)
    said = (query["sql"] for query in queries.captured_queries)
    return [sql for sql in said if WRITES.match(sql) and "django_session" not in sql]


def one_of_each() -> None:
    """Something at every sampled address."""
    now = clock.now()
    customer = Customer.objects.create(pk=1, external_id="c1")
    segment = Segment.objects.create(pk=1, name="Everybody", rule=EVERYBODY)
    survey = Survey.objects.create(pk=1, name="NPS")
    Campaign.objects.create(pk=1, name="Win back", segment=segment)
    Task.objects.create(pk=1, customer=customer, title="Call", due_at=now)
    Job.objects.create(pk=SAMPLES["uuid"], kind="customers.bulk", title="Tag", state="done")
    file = ContentFile(b"id,name\nc1,Ada\n", "c.csv")
    Import.objects.create(pk=1, kind="customers", filename="c.csv", file=file, spec={"kind": "customers"})
    Invitation.objects.create(pk=1, survey=survey, customer=customer, origin="x", expires_at=now)


def test_a_get_changes_nothing(signed_in: Callable[[str], Client], settings: Settings, tmp_path: Path) -> None:
    client = signed_in(Role.ADMINISTRATOR)
    settings.MEDIA_ROOT = tmp_path
    one_of_each()
    assert {url: sql for _, url in patterns() if (sql := written(client, url))} == {}


def test_a_get_that_changes_something_is_found(signed_in: Callable[[str], Client]) -> None:
    client = signed_in(Role.ADMINISTRATOR)
    with CaptureQueriesContext(connection) as queries:
        Workspace.objects.update(name="x")
        Customer.objects.create(external_id="x").delete()
    assert sum(bool(WRITES.match(query["sql"])) for query in queries.captured_queries) >= 3
    assert written(client, "/start/") == []
