"""No address is open by mistake: each view of the project says who may, and refuses the others."""

from collections.abc import Callable, Iterator

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from retention.workspace.roles import GRANTS, Can, Role

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
