"""No address is open by mistake: each view of the project says who may, and refuses the others."""

from collections.abc import Callable, Iterator

import pytest
from django.test import Client
from django.urls import URLPattern, get_resolver

from retention.workspace.roles import GRANTS, Can, Role
from tests.addresses import patterns

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
#: Our own that strangers may open: what a customer's link leads to, signing in, and what a machine asks for.
PUBLIC = {
    "/healthz",
    "/readyz",
    "/welcome/",
    "/account/login/",
    "/account/demo/",
    "/branding/logo/",
    "/s/x/",
    "/s/x/thanks/",
    "/c/x/",
    "/o/x.gif",
    "/u/x/",
    "/plan/x/",
}


def undeclared(entries: Iterator[tuple[URLPattern, str]]) -> list[str]:
    return [
        url for pattern, url in entries if not getattr(pattern.callback, "admits", None) and not guards_itself(pattern)
    ]


def guards_itself(pattern: URLPattern) -> bool:
    """A view of allauth that we know; one of ours by the same name is none."""
    return pattern.name in GUARDED_THEMSELVES and pattern.callback.__module__.startswith("allauth.")


def test_it_works() -> None:
    assert undeclared(patterns()) == []


def test_a_forgotten_declaration_is_found() -> None:
    here = get_resolver().pattern
    named = [URLPattern(here, lambda request: None, name=name) for name in (None, "account_login")]
    assert undeclared((each, "/forgotten/") for each in named) == ["/forgotten/", "/forgotten/"]


def test_what_is_declared_is_known() -> None:
    said = {getattr(pattern.callback, "admits", "anyone") for pattern, _ in patterns()}
    assert said <= {*Can, "anyone"}


def test_what_strangers_may_open_is_written_down_here() -> None:
    assert {url for pattern, url in patterns() if getattr(pattern.callback, "admits", "") == "anyone"} == PUBLIC


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
        if hasattr(pattern.callback, "cls"):  # the API's: a program has no page to sign in at
            assert response.status_code == 401, f"a stranger got {response.status_code} at {url}"
            continue
        assert response.status_code == 302, f"a stranger got {response.status_code} at {url}"
        assert response["Location"].startswith("/account/login/"), url


def test_each_takes_the_methods_that_it_is_made_for(signed_in: Callable[[str], Client]) -> None:
    """A method that a view does not ask about would be answered as if somebody looked at its page."""
    client = signed_in(Role.ADMINISTRATOR)
    ours = [url for pattern, url in patterns() if hasattr(pattern.callback, "admits") and "/api/" not in url]
    assert [url for url in ours if client.put(url).status_code != 405 or client.delete(url).status_code != 405] == []
